/** All stores on a scratch database, for tests. */
import { randomUUID } from 'node:crypto';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  type AddressGroup,
  DEFAULT_LIMITS,
  macFrom,
  type Network,
  type RuleWish,
  readAddresses,
  type SecurityGroup,
  type SecurityGroupRule,
  type Subnet,
  type SubnetWish,
  shapeRule,
  shapeSubnet,
} from '#services/network/domain';
import { NetworkBooks } from './books.js';
import { networkMigrations } from './migrations.js';
import type { NetworkDraft } from './network.store.js';
import type { PortDraft } from './port.store.js';
import type { GroupDraft } from './security-group.store.js';

export const NOW = new Date('2026-01-02T03:04:05Z');

let macs = 0;
const newMac = (): string => {
  macs += 1;
  return macFrom(macs);
};

export async function openBooks(limits = DEFAULT_LIMITS) {
  const scratch: ScratchDatabase = await scratchDatabase([networkMigrations]);
  const { db } = scratch;
  const all = new NetworkBooks(db, { limits, newMac, newId: randomUUID });
  const stores = { networks: all.networkStore, subnets: all.subnetStore, ports: all.portStore, groups: all.groupStore };
  const repos = all;

  const makeNetwork = async (more: Partial<NetworkDraft> = {}): Promise<Network> => {
    const base = { id: randomUUID(), projectId: 'p1', name: 'net', description: '', adminStateUp: true };
    const draft: NetworkDraft = {
      ...base,
      mtu: 1442,
      portSecurity: true,
      shared: false,
      qosPolicyId: null,
      dnsDomain: '',
      zoneHints: [],
      external: false,
      isDefault: false,
      networkType: 'geneve',
      physicalNetwork: null,
      segmentationId: undefined,
      segmentId: randomUUID(),
      metadataPortId: randomUUID(),
      metadataMac: newMac(),
      ...more,
    };
    const [network] = await stores.networks.create([draft], NOW);
    return network!;
  };
  const makeSubnet = async (networkId: string, wish: Partial<SubnetWish> = {}): Promise<Subnet> => {
    const shape = shapeSubnet({ version: 4, cidr: '10.0.0.0/24', ...wish });
    const [subnet] = await stores.subnets.create(
      [{ id: randomUUID(), networkId, projectId: 'p1', name: '', description: '', ...shape }],
      NOW,
    );
    return subnet!;
  };
  const draftPort = async (networkId: string, more: Partial<PortDraft> = {}): Promise<PortDraft> => ({
    id: randomUUID(),
    networkId,
    projectId: 'p1',
    name: '',
    description: '',
    mac: undefined,
    adminStateUp: true,
    deviceId: '',
    deviceOwner: '',
    host: '',
    vnicType: 'normal',
    profile: {},
    portSecurity: true,
    addressPairs: [],
    hostname: '',
    ownedByServer: false,
    wishes: undefined,
    groupIds: [],
    qosPolicyId: null,
    networkProjectId: 'p1',
    networkQosPolicyId: null,
    networkDnsDomain: '',
    subnets: await all.subnets.ofNetworks(db, [networkId]),
    ...more,
  });
  const makePort = async (networkId: string, more: Partial<PortDraft> = {}) => {
    const [port] = await stores.ports.create([await draftPort(networkId, more)], NOW);
    return port!;
  };
  const makeGroup = async (more: Partial<GroupDraft> = {}): Promise<SecurityGroup> => {
    const base = { id: randomUUID(), projectId: 'p1', name: 'group', description: '', stateful: true };
    const [group] = await stores.groups.create([{ ...base, ...more }], NOW);
    return group!;
  };
  const addRule = async (group: SecurityGroup, wish: Partial<RuleWish>): Promise<SecurityGroupRule> => {
    const about = { id: randomUUID(), groupId: group.id, projectId: group.projectId, description: '' };
    const shape = shapeRule({ direction: 'ingress', ...wish });
    const [rule] = await stores.groups.addRules([{ ...shape, ...about, ofDefaultGroup: group.isDefault }], NOW);
    return rule!;
  };
  const makeAddressGroup = async (addresses: readonly string[], projectId = 'p1'): Promise<AddressGroup> => {
    const about = { id: randomUUID(), projectId, name: '', description: '' };
    const [group] = await all.addressGroupStore.create([{ ...about, addresses: readAddresses(addresses) }], NOW);
    return group!;
  };
  /** Projects and resources for which what is recorded is not what is there. */
  const imbalance = async () => (await all.quotas.audit(db)).filter((row) => row.recorded !== row.counted);
  const made = { makeNetwork, makeSubnet, draftPort, makePort, makeGroup, addRule, makeAddressGroup };
  return { scratch, db, stores, repos, ...made, imbalance };
}

export type Books = Awaited<ReturnType<typeof openBooks>>;
