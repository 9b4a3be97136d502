/** What keeps OVN and the books together. None of OVN's databases needs to be there for the service to start. */
import type { Clock, Ids } from '#libs/kernel';
import { Counter, type Log, metrics } from '#libs/platform/log';
import { OvsdbClient } from '#libs/platform/ovsdb';
import type { NetworkOptions } from '#services/network/api';
import { type NetworkBooks, OVN_CHANNEL } from '#services/network/data';
import type { Chassis } from '#services/network/domain';
import {
  AgentWatch,
  ChassisWatch,
  chassisOf,
  forgetChassis,
  type NbClient,
  NORTHBOUND,
  PortStatus,
  Reconciler,
  RouterStatus,
  type SbClient,
  SOUTHBOUND,
} from '#services/network/worker';

export interface OvnFollower {
  readonly client: NbClient;
  readonly reconciler: Reconciler;
  /** The nodes that OVN knows; none where the southbound database is not followed. */
  readonly chassis: () => readonly Chassis[];
  /** Has OVN forget a node. */
  readonly forgetChassis: (name: string) => Promise<void>;
  stop(): Promise<void>;
}

const drift = new Counter({
  name: 'network_ovn_drift_operations_total',
  help: 'Operations that full comparisons needed to bring OVN in line with the books',
  registers: [metrics],
});

interface Surroundings {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** What happens to nodes concerns routers, and agents as the API shows them. */
const nodeWatchers = (
  books: NetworkBooks,
  northbound: NbClient,
  southbound: SbClient,
  { clock, ids, log }: Surroundings,
) => [
  new ChassisWatch(books, southbound, clock, log),
  new AgentWatch({ books, northbound, southbound, newId: () => ids.uuid(), clock, log }),
];

export async function followOvn(
  options: NetworkOptions,
  books: NetworkBooks,
  surroundings: Surroundings,
): Promise<OvnFollower> {
  const { clock, log } = surroundings;
  const client: NbClient = new OvsdbClient({ remotes: options.ovnNb, database: 'OVN_Northbound', tables: NORTHBOUND });
  client.onTrouble((reason) => log.warn({ reason: reason.message }, 'the northbound database was lost'));
  const nodes = options.ovnSb === undefined ? undefined : followNodes(options.ovnSb, log);
  const chassis = (): readonly Chassis[] => (nodes ? chassisOf(nodes) : []);
  const reconciler = new Reconciler({
    books,
    client,
    clock,
    log,
    defaultDns: options.dnsServers,
    chassis,
    fullMs: options.reconcileMs,
    onDrift: (operations) => drift.inc(operations),
  });
  const watchers = [
    new PortStatus(books, client, clock, log),
    new RouterStatus(books, client, log),
    ...(nodes ? nodeWatchers(books, client, nodes, surroundings) : []),
  ];
  const unlisten = await books.db.listen(OVN_CHANNEL, () => reconciler.wake());
  client.start();
  reconciler.start();
  for (const watcher of watchers) watcher.start();
  const stop = async (): Promise<void> => {
    unlisten();
    await reconciler.stop();
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    client.close();
    nodes?.close();
  };
  const forget = async (name: string): Promise<void> => {
    if (nodes) await forgetChassis(nodes, name);
  };
  return { client, reconciler, chassis, forgetChassis: forget, stop };
}

function followNodes(remotes: string, log: Log): SbClient {
  const client: SbClient = new OvsdbClient({ remotes, database: 'OVN_Southbound', tables: SOUTHBOUND });
  client.onTrouble((reason) => log.warn({ reason: reason.message }, 'the southbound database was lost'));
  return client.start();
}
