/**
 * What the books want of OVN for a handful of resources: read at once, and planned together with whatever they stand on
 * that OVN does not have yet. So marks may be worked off in any order and in any portion.
 */
import type { Sql } from '#libs/platform/db';
import type { MarkKind, NetworkBooks, PortOnNetwork } from '#services/network/data';
import {
  effectiveGroups,
  METADATA_OWNER,
  type NbActual,
  NbPlan,
  type Network,
  type SecurityGroup,
  type Subnet,
} from '#services/network/domain';

export interface Subject {
  readonly kind: MarkKind;
  readonly id: string;
}

export interface PlanOptions {
  readonly defaultDns: readonly string[];
  /** The port groups that hold a port now; without it those that it was last put into. */
  readonly groupsOf?: (portId: string) => Iterable<string>;
}

interface Loaded {
  readonly ports: readonly PortOnNetwork[];
  readonly networks: ReadonlyMap<string, Network>;
  readonly subnets: readonly Subnet[];
  readonly groups: readonly SecurityGroup[];
  /** The metadata port of each network that has subnets to be planned. */
  readonly metadata: ReadonlyMap<string, PortOnNetwork>;
}

const idsOf = (subjects: readonly Subject[], kind: MarkKind): string[] =>
  subjects.filter((subject) => subject.kind === kind).map((subject) => subject.id);
const unique = (ids: readonly string[]): string[] => [...new Set(ids)];

/** Plans the subjects as the books have them now. */
export async function planFor(
  books: NetworkBooks,
  on: Sql,
  subjects: readonly Subject[],
  actual: NbActual,
  options: PlanOptions,
): Promise<NbPlan> {
  const loaded = await load(books, on, subjects, actual);
  const plan = new NbPlan(actual).guard();
  planNetworks(plan, loaded, subjects, actual);
  planSubnets(plan, loaded, subjects, actual, options);
  for (const group of loaded.groups) plan.group(group);
  for (const port of loaded.ports) {
    const network = loaded.networks.get(port.networkId);
    if (network) plan.port(port, { network, subnets: loaded.subnets }, options.groupsOf?.(port.id));
  }
  planAbsent(plan, loaded, subjects);
  return plan;
}

async function load(books: NetworkBooks, on: Sql, subjects: readonly Subject[], actual: NbActual): Promise<Loaded> {
  const ports = await books.ports.findMany(on, idsOf(subjects, 'port'));
  const marked = await books.subnets.findMany(on, idsOf(subjects, 'subnet'));
  const around = unique(ports.map((port) => port.networkId));
  const subnets = [
    ...marked,
    ...(await books.subnets.ofNetworks(on, around)).filter((subnet) => !marked.some((known) => known.id === subnet.id)),
  ];
  const networkIds = unique([...idsOf(subjects, 'network'), ...around, ...subnets.map((subnet) => subnet.networkId)]);
  const networks = await books.networks.findMany(on, networkIds);
  const planned = subnets.filter((subnet) => isPlanned(subnet, subjects, ports, actual));
  const metadata = await books.ports.metadataOf(on, unique(planned.map((subnet) => subnet.networkId)));
  return {
    ports,
    networks: new Map(networks.map((network) => [network.id, network])),
    subnets,
    groups: await loadGroups(books, on, subjects, ports, actual),
    metadata: new Map(metadata.map((port) => [port.networkId, port])),
  };
}

/** The marked groups, those of the ports that OVN lacks, and those lacking that their rules name. */
async function loadGroups(
  books: NetworkBooks,
  on: Sql,
  subjects: readonly Subject[],
  ports: readonly PortOnNetwork[],
  actual: NbActual,
): Promise<SecurityGroup[]> {
  const lacking = (id: string): boolean => actual.row('Port_Group', id) === undefined;
  const groups = new Map<string, SecurityGroup>();
  let wanted = unique([...idsOf(subjects, 'security_group'), ...ports.flatMap(effectiveGroups).filter(lacking)]);
  while (wanted.length > 0) {
    for (const group of await books.groups.findMany(on, wanted)) groups.set(group.id, group);
    const remotes = [...groups.values()].flatMap((group) => group.rules.flatMap((rule) => rule.remoteGroupId ?? []));
    wanted = unique(remotes).filter((id) => lacking(id) && !groups.has(id));
  }
  return [...groups.values()];
}

function planNetworks(plan: NbPlan, loaded: Loaded, subjects: readonly Subject[], actual: NbActual): void {
  const marked = new Set(idsOf(subjects, 'network'));
  for (const network of loaded.networks.values()) {
    if (marked.has(network.id) || !actual.row('Logical_Switch', network.id)) plan.network(network);
  }
}

/** A subnet is planned when it is marked, unknown to OVN, or its metadata port has changed. */
function isPlanned(
  subnet: Subnet,
  subjects: readonly Subject[],
  ports: readonly PortOnNetwork[],
  actual: NbActual,
): boolean {
  return (
    actual.row('DHCP_Options', subnet.id) === undefined ||
    subjects.some((subject) => subject.kind === 'subnet' && subject.id === subnet.id) ||
    ports.some((port) => port.deviceOwner === METADATA_OWNER && port.networkId === subnet.networkId)
  );
}

function planSubnets(
  plan: NbPlan,
  loaded: Loaded,
  subjects: readonly Subject[],
  actual: NbActual,
  options: PlanOptions,
): void {
  for (const subnet of loaded.subnets) {
    if (!isPlanned(subnet, subjects, loaded.ports, actual)) continue;
    const network = loaded.networks.get(subnet.networkId);
    const held = loaded.metadata.get(subnet.networkId)?.fixedIps.find((ip) => ip.subnetId === subnet.id);
    if (network) plan.subnet(subnet, { network, metadataIp: held?.address ?? null, defaultDns: options.defaultDns });
  }
}

/** What is marked and no longer in the books. */
function planAbsent(plan: NbPlan, loaded: Loaded, subjects: readonly Subject[]): void {
  const absent = (kind: MarkKind, present: readonly { readonly id: string }[]): string[] => {
    const ids = new Set(present.map((row) => row.id));
    return idsOf(subjects, kind).filter((id) => !ids.has(id));
  };
  for (const id of absent('port', loaded.ports)) plan.portGone(id);
  for (const id of absent('subnet', loaded.subnets)) plan.gone('DHCP_Options', id);
  for (const id of absent('security_group', loaded.groups)) plan.gone('Port_Group', id);
  for (const id of absent('network', [...loaded.networks.values()])) plan.gone('Logical_Switch', id);
}
