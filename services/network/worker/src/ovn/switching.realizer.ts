/** Networks, subnets, security groups and ports: switches with all that is on them. */
import type { PortOnNetwork } from '#services/network/data';
import {
  type DhcpContext,
  effectiveGroups,
  METADATA_OWNER,
  type Network,
  type SecurityGroup,
  type Subnet,
} from '#services/network/domain';
import { planNamedAddressGroups } from './address-group.realizer.js';
import { absent, type Planning, type Realizer } from './realizer.js';

interface Loaded {
  readonly ports: readonly PortOnNetwork[];
  readonly networks: ReadonlyMap<string, Network>;
  readonly subnets: readonly Subnet[];
  readonly groups: readonly SecurityGroup[];
  /** The metadata port of each network on which DHCP's answers are planned. */
  readonly metadata: ReadonlyMap<string, PortOnNetwork>;
}

const unique = (ids: readonly string[]): string[] => [...new Set(ids)];

export const switchingRealizer: Realizer = {
  // Switches and groups come before what stands on them.
  kinds: ['network', 'subnet', 'security_group', 'port'],
  rows: [
    { kind: 'port', table: 'Logical_Switch_Port', marks: ['port', 'metadata_port'] },
    { kind: 'subnet', table: 'DHCP_Options', marks: ['subnet'] },
    { kind: 'port', table: 'DHCP_Options', marks: ['port_dhcp'], byOwner: true },
    { kind: 'port', table: 'DNS', marks: ['port_dns'], byOwner: true },
    { kind: 'security_group', table: 'Port_Group', marks: ['security_group'] },
    { kind: 'network', table: 'Logical_Switch', marks: ['network'] },
  ],
  plan: async (planning) => {
    const loaded = await load(planning);
    const { plan, options } = planning;
    plan.guard();
    planNetworks(planning, loaded);
    planSubnets(planning, loaded);
    await planNamedAddressGroups(planning, loaded.groups);
    for (const group of loaded.groups) plan.group(group);
    for (const port of loaded.ports) {
      const network = loaded.networks.get(port.networkId);
      if (!network) continue;
      const { subnets } = loaded;
      plan.port(port, { network, subnets }, options.groupsOf?.(port.id));
      plan.portDhcp(port, subnets, (subnet) => dhcpContext(planning, loaded, network, subnet));
      plan.portNames(port, network);
    }
    planAbsent(planning, loaded);
  },
};

async function load(planning: Planning): Promise<Loaded> {
  const { books, on } = planning;
  const ports = await books.ports.findMany(on, planning.ids('port'));
  const marked = await books.subnets.findMany(on, planning.ids('subnet'));
  const around = unique(ports.map((port) => port.networkId));
  const subnets = [
    ...marked,
    ...(await books.subnets.ofNetworks(on, around)).filter((subnet) => !marked.some((known) => known.id === subnet.id)),
  ];
  const networkIds = unique([...planning.ids('network'), ...around, ...subnets.map((subnet) => subnet.networkId)]);
  const networks = await books.networks.findMany(on, networkIds);
  const planned = subnets.filter((subnet) => isPlanned(planning, subnet, ports));
  const telling = [...planned, ...ports.filter((port) => port.dhcpOptions.length > 0)];
  const metadata = await books.ports.metadataOf(on, unique(telling.map((row) => row.networkId)));
  return {
    ports,
    networks: new Map(networks.map((network) => [network.id, network])),
    subnets,
    groups: await loadGroups(planning, ports),
    metadata: new Map(metadata.map((port) => [port.networkId, port])),
  };
}

/** The marked groups, those of the ports that OVN lacks, and those lacking that their rules name. */
async function loadGroups(planning: Planning, ports: readonly PortOnNetwork[]): Promise<SecurityGroup[]> {
  const { books, on, actual } = planning;
  const lacking = (id: string): boolean => actual.row('Port_Group', id) === undefined;
  const groups = new Map<string, SecurityGroup>();
  let wanted = unique([...planning.ids('security_group'), ...ports.flatMap(effectiveGroups).filter(lacking)]);
  while (wanted.length > 0) {
    for (const group of await books.groups.findMany(on, wanted)) groups.set(group.id, group);
    const remotes = [...groups.values()].flatMap((group) => group.rules.flatMap((rule) => rule.remoteGroupId ?? []));
    wanted = unique(remotes).filter((id) => lacking(id) && !groups.has(id));
  }
  return [...groups.values()];
}

function planNetworks({ plan, actual, ids }: Planning, loaded: Loaded): void {
  const marked = new Set(ids('network'));
  for (const network of loaded.networks.values()) {
    if (marked.has(network.id) || !actual.row('Logical_Switch', network.id)) plan.network(network);
  }
}

/** A subnet is planned when it is marked, unknown to OVN, or its metadata port has changed. */
function isPlanned({ actual, ids }: Planning, subnet: Subnet, ports: readonly PortOnNetwork[]): boolean {
  return (
    actual.row('DHCP_Options', subnet.id) === undefined ||
    ids('subnet').includes(subnet.id) ||
    ports.some((port) => port.deviceOwner === METADATA_OWNER && port.networkId === subnet.networkId)
  );
}

function planSubnets(planning: Planning, loaded: Loaded): void {
  const { plan } = planning;
  for (const subnet of loaded.subnets) {
    if (!isPlanned(planning, subnet, loaded.ports)) continue;
    const network = loaded.networks.get(subnet.networkId);
    if (network) plan.subnet(subnet, dhcpContext(planning, loaded, network, subnet));
  }
}

function dhcpContext({ options }: Planning, loaded: Loaded, network: Network, subnet: Subnet): DhcpContext {
  const held = loaded.metadata.get(network.id)?.fixedIps.find((ip) => ip.subnetId === subnet.id);
  return { network, metadataIp: held?.address ?? null, defaultDns: options.defaultDns };
}

/** What is marked and no longer in the books. */
function planAbsent(planning: Planning, loaded: Loaded): void {
  const { plan } = planning;
  for (const id of absent(planning, 'port', loaded.ports)) plan.portGone(id);
  for (const id of absent(planning, 'subnet', loaded.subnets)) plan.gone('DHCP_Options', id);
  for (const id of absent(planning, 'security_group', loaded.groups)) plan.gone('Port_Group', id);
  for (const id of absent(planning, 'network', [...loaded.networks.values()])) plan.gone('Logical_Switch', id);
}
