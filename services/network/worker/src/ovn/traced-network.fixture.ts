/** A network of five guests in OVN's own databases, and what northd's flows do with single packets: for tests. */
import { randomUUID } from 'node:crypto';
import { OvsdbClient } from '#libs/platform/ovsdb';
import { type OvnDatabases, startOvnDatabases } from '#libs/testing';
import {
  type AddressGroup,
  NbPlan,
  type Network,
  NO_EXTRAS,
  type Port,
  planAddressGroup,
  type RuleShape,
  type SecurityGroup,
} from '#services/network/domain';
import { encode, type NbClient, NbReplica, NORTHBOUND } from './northbound.js';

export const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
export const network: Network = {
  id: randomUUID(),
  projectId: 'p',
  name: '',
  description: '',
  adminStateUp: true,
  sharedWith: [],
  external: false,
  externalTo: [],
  isDefault: false,
  networkType: 'geneve',
  physicalNetwork: null,
  tunnelKey: 77,
  qosPolicyId: null,
  dnsDomain: '',
  zoneHints: [],
  mtu: 1442,
  portSecurity: true,
  segmentationId: 5,
  subnetIds: [],
  ipv4ScopeId: null,
  ipv6ScopeId: null,
  ...born,
};
export const GROUP_IDS = [randomUUID(), randomUUID(), randomUUID()];

export interface Guest {
  readonly id: string;
  readonly mac: string;
  readonly v4: string;
  readonly v6: string;
  readonly groupIds: readonly string[];
}
const guest = (n: number, groupIds: readonly string[]): Guest => ({
  id: randomUUID(),
  mac: `fa:16:3e:00:00:0${n}`,
  v4: `10.0.0.1${n}`,
  v6: `fd00::1${n}`,
  groupIds,
});
/** One guest in each group, one in two, one in none. */
export const GUESTS = [
  guest(1, [GROUP_IDS[0]!]),
  guest(2, [GROUP_IDS[1]!]),
  guest(3, [GROUP_IDS[2]!]),
  guest(4, [GROUP_IDS[0]!, GROUP_IDS[1]!]),
  guest(5, []),
];

export const portOf = (who: Guest): Port => ({
  id: who.id,
  networkId: network.id,
  projectId: 'p',
  name: '',
  description: '',
  mac: who.mac,
  adminStateUp: true,
  deviceId: '',
  deviceOwner: '',
  status: 'DOWN',
  host: '',
  vnicType: 'normal',
  profile: {},
  portSecurity: true,
  addressPairs: [],
  ...NO_EXTRAS,
  hostname: '',
  ownedByServer: false,
  qosPolicyId: null,
  trunk: null,
  fixedIps: [
    { subnetId: 's4', address: who.v4 },
    { subnetId: 's6', address: who.v6 },
  ],
  groupIds: who.groupIds,
  ...born,
});

export type Rules = readonly (readonly [groupId: string, rule: RuleShape])[];

export interface Packet {
  readonly from: Guest;
  readonly to: Guest;
  readonly version: 4 | 6;
  /** A name, or a number for a protocol without ports. */
  readonly protocol: string | number;
  /** Destination port, or the type of an ICMP message. */
  readonly port: number;
}

export function expression(packet: Packet): string {
  const { from, to, version, protocol, port } = packet;
  const [src, dst] = version === 4 ? [from.v4, to.v4] : [from.v6, to.v6];
  return `inport == "${from.id}" && eth.src == ${from.mac} && eth.dst == ${to.mac} && ip${version}.src == ${src} && ip${version}.dst == ${dst} && ip.ttl == 64 && ${upper(version, protocol, port)}`;
}

function upper(version: 4 | 6, protocol: string | number, port: number): string {
  if (typeof protocol === 'number') return `ip.proto == ${protocol}`;
  if (protocol !== 'icmp') return `${protocol}.dst == ${port} && ${protocol}.src == 40000`;
  const icmp = version === 4 ? 'icmp4' : 'icmp6';
  return `${icmp}.type == ${port} && ${icmp}.code == 0`;
}

export class TracedNetwork {
  private constructor(
    readonly ovn: OvnDatabases,
    readonly client: NbClient,
  ) {}

  static async start(): Promise<TracedNetwork> {
    const ovn = await startOvnDatabases({ northd: true });
    const client = new OvsdbClient({ remotes: ovn.nb, database: 'OVN_Northbound', tables: NORTHBOUND }).start();
    await client.synced(5000);
    return new TracedNetwork(ovn, client);
  }

  stop(): void {
    this.client.close();
    this.ovn.stop();
  }

  /** Makes these rules, and no others, the ones in force. */
  async apply(rules: Rules, stateful = true, addressGroups: readonly AddressGroup[] = []): Promise<void> {
    const plan = new NbPlan(new NbReplica(this.client.replica)).guard().network(network);
    for (const group of addressGroups) planAddressGroup(plan, group);
    for (const group of GROUP_IDS.map((id) => groupOf(id, rules, stateful))) plan.group(group);
    for (const who of GUESTS) plan.port(portOf(who), { network, subnets: [] });
    await this.client.transact(encode(this.client, plan.operations()));
    this.ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
  }

  /** Where OVN delivers a packet that no connection is known for. */
  delivered(flow: string, to: Guest): boolean {
    const knowing = ['--ct=new', '--ct=new', '--ct=new', '--minimal', '--no-friendly-names'];
    return this.ovn.tool('ovn-trace', ...knowing, `net_${network.id}`, flow).includes(`output("${to.id}")`);
  }
}

function groupOf(id: string, rules: Rules, stateful: boolean): SecurityGroup {
  const own = rules.filter(([group]) => group === id);
  const shared = { groupId: id, projectId: 'p', description: '', ofDefaultGroup: false, ...born };
  return {
    id,
    projectId: 'p',
    name: '',
    description: '',
    sharedWith: [],
    stateful,
    isDefault: false,
    rules: own.map(([, rule]) => ({ id: randomUUID(), ...shared, ...rule })),
    ...born,
  };
}
