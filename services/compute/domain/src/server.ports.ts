/**
 * A server's ports as network tells of them, and as compute keeps them beside the server so that reads ask nobody. A port is
 * the server's only where compute gave it one: anybody may write a server's id on a port of their own.
 */
import type { Interface, Nic, SecurityGroup } from './server.js';

export interface ToldPort {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly mac: string;
  readonly mtu: number;
  readonly adopted: boolean;
  readonly fixedIps: readonly { readonly subnetId: string; readonly address: string; readonly version: number }[];
  readonly securityGroups: readonly SecurityGroup[];
}

export interface KeptPorts {
  readonly addresses: readonly Interface[];
  readonly securityGroups: readonly SecurityGroup[];
}

/** In the order in which they were asked for, with the tags that only compute knows. */
export function keptPorts({ ports }: { readonly ports: readonly ToldPort[] }, nics: readonly Nic[]): KeptPorts {
  const wanted = new Map(nics.map((nic, index) => [nic.portId, { index, tag: nic.tag }]));
  const place = (id: string): number => wanted.get(id)?.index ?? nics.length;
  const addresses = [...ports]
    .sort((a, b) => place(a.id) - place(b.id))
    .map((port) => interfaceOf(port, wanted.get(port.id)?.tag ?? ''));
  const groups = new Map(ports.flatMap((port) => port.securityGroups).map(({ id, name }) => [id, { id, name }]));
  return { addresses, securityGroups: [...groups.values()] };
}

const interfaceOf = (port: ToldPort, tag: string): Interface => ({
  portId: port.id,
  networkId: port.networkId,
  network: port.networkName,
  mac: port.mac,
  mtu: port.mtu,
  adopted: port.adopted,
  tag,
  fixedIps: port.fixedIps.map(({ subnetId, address, version }) => ({
    subnetId,
    address,
    version: version === 6 ? 6 : 4,
  })),
});

type Plugged = { readonly nics: readonly Nic[]; readonly addresses: readonly Interface[] };

/** The ids of the ports that compute gave the server. */
export const ownPortIds = (server: Plugged): ReadonlySet<string> =>
  new Set([...server.nics, ...server.addresses].map(({ portId }) => portId));

/** Those of the told ports that are the server's own. */
export function ownPorts<P extends { readonly id: string }>(server: Plugged, ports: readonly P[]): P[] {
  const own = ownPortIds(server);
  return ports.filter(({ id }) => own.has(id));
}

/** What has to be written where network tells something else than is kept; undefined where nothing differs. */
export function changedPorts(
  server: Plugged & { readonly securityGroups: readonly SecurityGroup[] },
  ports: readonly ToldPort[],
): KeptPorts | undefined {
  const kept = keptPorts({ ports: ownPorts(server, ports) }, server.nics);
  const text = ({ addresses, securityGroups }: KeptPorts): string =>
    JSON.stringify([addresses, securityGroups.map(({ id, name }) => [id, name]).sort()], sortedKeys);
  return text(kept) === text(server) ? undefined : kept;
}

/** JSON from the database comes with its keys in another order. */
const sortedKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
