/** The ports of servers with all that a node needs to plug them and to tell their guests. */
import type { networkV1 } from '#libs/contract';
import type { NetworkBooks, PortOnNetwork } from '#services/network/data';
import { type FixedIp, METADATA_OWNER, type Network, type Subnet } from '#services/network/domain';

interface Surroundings {
  readonly networks: ReadonlyMap<string, Network>;
  readonly subnets: ReadonlyMap<string, Subnet>;
  readonly metadata: ReadonlyMap<string, PortOnNetwork>;
  readonly groups: ReadonlyMap<string, string>;
  readonly floating: ReadonlyMap<string, readonly string[]>;
  readonly defaultDns: readonly string[];
}

const byId = <T extends { readonly id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));

/** One entry for each server, also for one without ports. */
export async function serverPorts(
  books: NetworkBooks,
  serverIds: readonly string[],
  defaultDns: readonly string[],
): Promise<networkV1.ServerPorts[]> {
  const ports = await books.ports.ofDevices(books.db, serverIds);
  const around = await surroundings(books, serverIds, ports, defaultDns);
  const byServer = Map.groupBy(ports, (port) => port.deviceId);
  return serverIds.map((serverId) => ({
    serverId,
    ports: (byServer.get(serverId) ?? []).map((port) => portMessage(port, around)),
  }));
}

/** Of an address of a port: the same one may be on another network too. */
const placeOf = (portId: string, address: string): string => `${portId} ${address}`;

async function surroundings(
  books: NetworkBooks,
  serverIds: readonly string[],
  ports: readonly PortOnNetwork[],
  defaultDns: readonly string[],
): Promise<Surroundings> {
  const networkIds = [...new Set(ports.map((port) => port.networkId))];
  const groupIds = [...new Set(ports.flatMap((port) => port.groupIds))];
  const { db } = books;
  const metadata = await books.ports.metadataOf(db, networkIds);
  const groups = groupIds.length > 0 ? await books.groups.names(db, groupIds) : [];
  const floating = await books.floatingIps.ofServers(db, serverIds);
  return {
    networks: byId(await books.networks.findMany(db, networkIds)),
    subnets: byId(await books.subnets.ofNetworks(db, networkIds)),
    metadata: new Map(
      metadata.filter((port) => port.deviceOwner === METADATA_OWNER).map((port) => [port.networkId, port]),
    ),
    groups: new Map(groups.map((group) => [group.id, group.name])),
    floating: new Map(
      [...Map.groupBy(floating, (one) => placeOf(one.portId, one.fixedAddress))].map(([place, ones]) => [
        place,
        ones.map((one) => one.address),
      ]),
    ),
    defaultDns,
  };
}

function portMessage(port: PortOnNetwork, around: Surroundings): networkV1.Port {
  const network = around.networks.get(port.networkId);
  const metadata = around.metadata.get(port.networkId);
  return {
    id: port.id,
    networkId: port.networkId,
    networkName: network?.name ?? '',
    mac: port.mac,
    fixedIps: port.fixedIps.flatMap((ip) => ipMessage(port.id, ip, around)),
    mtu: network?.mtu ?? 0,
    securityGroups: port.groupIds.map((id) => ({ id, name: around.groups.get(id) ?? '' })),
    metadataPortId: metadata?.id ?? '',
    metadataMac: metadata?.mac ?? '',
    adopted: !port.ownedByServer,
    status: port.status,
    host: port.host,
  };
}

function ipMessage(portId: string, ip: FixedIp, around: Surroundings): networkV1.FixedIp[] {
  const subnet = around.subnets.get(ip.subnetId);
  if (!subnet) return [];
  return [
    {
      subnetId: ip.subnetId,
      address: ip.address,
      version: subnet.version,
      cidr: subnet.cidr,
      gateway: subnet.gateway ?? '',
      dns: [...(subnet.dns.length > 0 ? subnet.dns : around.defaultDns)],
      routes: subnet.routes.map((route) => ({ ...route })),
      addressMode: subnet.addressMode ?? '',
      floating: [...(around.floating.get(placeOf(portId, ip.address)) ?? [])],
    },
  ];
}
