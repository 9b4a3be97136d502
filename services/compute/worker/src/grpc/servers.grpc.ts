/**
 * What network tells of servers: their ports are read anew, so that addresses and groups are shown as they are, and their
 * nodes fetch what the guests are told of themselves.
 */
import type { computeServersV1 } from '#libs/contract';
import { isUuid } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Implementation } from '#libs/platform/grpc';
import type { ServerNodeRepo, ServerRepo } from '#services/compute/data';
import { changedPorts } from '#services/compute/domain';
import type { Network } from '../peers.js';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  readonly network: Network;
  readonly aims: ServerNodeRepo;
  readonly now: () => Date;
}

export function serversService({
  db,
  servers,
  network,
  aims,
  now,
}: Deps): Implementation<computeServersV1.ServersService> {
  const refresh = async (serverIds: readonly string[]): Promise<void> => {
    const known = await servers.findMany(db, serverIds.filter(isUuid));
    if (!known.length) return;
    const told = await network.listForServers({ serverIds: known.map(({ id }) => id) });
    const portsOf = new Map(told.servers.map(({ serverId, ports }) => [serverId, ports]));
    for (const server of known) {
      const changed = changedPorts(server, portsOf.get(server.id) ?? []);
      if (changed) await servers.patch(db, server.id, changed, now());
    }
    const ids = known.map(({ id }) => id);
    await db.tx((tx) => aims.renew(tx, ids));
  };
  return {
    networkChanged: async ({ serverIds }) => {
      await refresh(serverIds);
      return {};
    },
  };
}
