/** Taking a server off the shelf: where it may go, by the wish and by what it was made with. Pure. */
import { type Failure, fail } from '#libs/kernel';
import type { Node } from './node.js';
import { demandOf } from './server.demand.js';
import { type Server, sizeOf } from './server.js';
import { DEFAULT_ZONE } from './server.order.js';
import type { ServerCreateInput } from './server.tasks.js';

/** Absent: nothing was said. A zone of null: it is no longer bound to one. */
export interface UnshelveWish {
  readonly zone?: string | null;
  readonly host?: string;
}

export interface UnshelveFacts {
  readonly nodes: readonly Node[];
}

/** The first reason to refuse the wish, or undefined. Only a server that is on no node can be told where to go. */
export function unshelveTrouble(server: Server, wish: UnshelveWish, { nodes }: UnshelveFacts): Failure | undefined {
  const { zone, host } = wish;
  if (zone === undefined && host === undefined) return undefined;
  if (server.vmState !== 'shelved_offloaded')
    return fail.conflict(
      `Specifying an availability zone or a host when unshelving server "${server.id}" with status "${server.vmState}" is not supported. The server status must be SHELVED_OFFLOADED to specify an availability zone or a host when unshelving.`,
    );
  if (zone && zone !== DEFAULT_ZONE && !nodes.some((node) => node.availabilityZone === zone && !node.disabled))
    return fail.invalid('The requested availability zone is not available');
  if (host === undefined) return undefined;
  const node = nodes.find(({ name }) => name === host);
  if (!node) return fail.invalid(`Compute host ${host} could not be found.`);
  const bound = zonePinnedBy(server, wish);
  if (bound !== null && node.availabilityZone !== bound)
    return fail.conflict(`Host "${host}" is not in the availability zone "${bound}".`);
  return undefined;
}

/** The zone that binds the server from then on, or null. */
export const zonePinnedBy = (server: Pick<Server, 'pinnedZone'>, { zone }: UnshelveWish): string | null =>
  zone === undefined ? server.pinnedZone : zone;

/** What it asks of placement and of network, as when it was made; its ports are those that it has now. */
export function placeFor(server: Server, wish: UnshelveWish): ServerCreateInput {
  const { id, hostname, flavor, image, addresses, securityGroups } = server;
  const nothing = { name: '', diskFormat: '', size: 0, virtualSize: 0, sha256: '', properties: {} };
  return {
    serverId: id,
    hostname,
    nics: addresses.map(({ portId, adopted, networkId, tag }) => ({
      ...{ portId, adopt: adopted, networkId, fixedIp: '', tag },
    })),
    securityGroupIds: securityGroups.map((group) => group.id),
    size: sizeOf(flavor),
    ...demandOf(flavor, image ?? nothing),
    onlyHost: wish.host ?? '',
    availabilityZone: zonePinnedBy(server, wish) ?? (wish.host === undefined ? DEFAULT_ZONE : ''),
    excludeProviderIds: [],
  };
}
