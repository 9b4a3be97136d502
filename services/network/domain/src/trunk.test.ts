import { describe, expect, it } from 'vitest';
import { NO_EXTRAS, type Port } from './model.js';
import { portRow } from './ovn/port-row.js';
import { checkSubportWishes, fitParent, fitSubports, portOfTrunk, type TrunkGround } from './trunk.js';

const [PARENT, CHILD, OTHER, TRUNK] = [1, 2, 3, 4].map((n) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`) as [
  string,
  string,
  string,
  string,
];
const port = (id: string, more: Partial<Port> = {}): Port => ({
  id,
  networkId: 'tunnel',
  projectId: 'p',
  name: '',
  description: '',
  mac: 'fa:16:3e:00:00:01',
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
  fixedIps: [],
  groupIds: [],
  createdAt: new Date(0),
  updatedAt: new Date(0),
  revision: 1,
  tags: [],
  ...more,
});
const ground = (...ports: Port[]): TrunkGround => ({
  ports: new Map(ports.map((one) => [one.id, one])),
  networks: new Map([
    ['tunnel', { mtu: 1442, networkType: 'geneve', segmentationId: 7 }],
    ['vlan', { mtu: 1442, networkType: 'vlan', segmentationId: 42 }],
    ['jumbo', { mtu: 9000, networkType: 'vlan', segmentationId: 43 }],
  ]),
});
const inTrunk = (vlan: number | null) => ({ trunk: { id: TRUNK, parentId: PARENT, vlan, subports: [] } });
const failure = (type: string) => expect.objectContaining({ type });

describe('wishes for subports', () => {
  it('name each port and each VLAN once', () => {
    checkSubportWishes([
      { portId: CHILD, type: 'vlan', vlan: 1 },
      { portId: OTHER, type: 'vlan', vlan: 4094 },
    ]);
    const bad = [
      [{ portId: 'x', type: 'vlan', vlan: 1 }],
      [{ portId: CHILD }],
      [{ portId: CHILD, type: 'vlan' }],
      [{ portId: CHILD, vlan: 1 }],
      [{ portId: CHILD, type: 'vxlan', vlan: 1 }],
      [{ portId: CHILD, type: 'vlan', vlan: 0 }],
      [{ portId: CHILD, type: 'vlan', vlan: 4095 }],
      [CHILD, OTHER].map((portId) => ({ portId, type: 'vlan', vlan: 5 })),
      [5, 6].map((vlan) => ({ portId: CHILD, type: 'vlan', vlan })),
    ];
    for (const wishes of bad) expect(() => checkSubportWishes(wishes)).toThrow(failure('InvalidInput'));
  });
});

describe('a parent', () => {
  it('is a port that is in no trunk and not the cloud’s own; bound or not', () => {
    expect(fitParent(PARENT, ground(port(PARENT, { host: 'node-1', deviceId: 'server' }))).id).toBe(PARENT);
    expect(() => fitParent(PARENT, ground())).toThrow(failure('PortNotFound'));
    expect(() => fitParent(PARENT, ground(port(PARENT, inTrunk(null))))).toThrow(failure('ParentPortInUse'));
    expect(() => fitParent(PARENT, ground(port(PARENT, inTrunk(7))))).toThrow(failure('TrunkPortInUse'));
    const routed = port(PARENT, { deviceOwner: 'network:router_interface' });
    expect(() => fitParent(PARENT, ground(routed))).toThrow(failure('ParentPortInUse'));
  });
});

describe('a subport', () => {
  const beneath = (child: Port, wish: object = { type: 'vlan', vlan: 7 }, id = CHILD) =>
    fitSubports([{ portId: id, ...wish }], port(PARENT), ground(port(PARENT), child));

  it('is a port of nobody, in no trunk', () => {
    expect(beneath(port(CHILD))).toEqual([{ portId: CHILD, vlan: 7 }]);
    expect(() => beneath(port(CHILD), {}, OTHER)).toThrow(failure('PortNotFound'));
    expect(() => beneath(port(CHILD), {}, PARENT)).toThrow(failure('ParentPortInUse'));
    expect(() => beneath(port(CHILD, inTrunk(7)))).toThrow(failure('TrunkPortInUse'));
    expect(() => beneath(port(CHILD, inTrunk(null)))).toThrow(failure('ParentPortInUse'));
    expect(() => beneath(port(CHILD, { deviceId: 'server' }))).toThrow(failure('PortInUse'));
    expect(() => beneath(port(CHILD, { deviceOwner: 'network:dhcp' }))).toThrow(failure('PortInUse'));
  });

  it('has packets that its parent can carry', () => {
    expect(() => beneath(port(CHILD, { networkId: 'jumbo' }))).toThrow(failure('SubPortMtuGreaterThanTrunkPortMtu'));
  });

  it('inherits the VLAN of its network, where that is one', () => {
    expect(beneath(port(CHILD, { networkId: 'vlan' }), { type: 'inherit' })).toEqual([{ portId: CHILD, vlan: 42 }]);
    expect(() => beneath(port(CHILD), { type: 'inherit' })).toThrow(failure('InvalidInput'));
    const both = [
      { portId: CHILD, type: 'inherit' },
      { portId: OTHER, type: 'vlan', vlan: 42 },
    ];
    const around = ground(port(PARENT), port(CHILD, { networkId: 'vlan' }), port(OTHER));
    expect(() => fitSubports(both, port(PARENT), around)).toThrow(failure('InvalidInput'));
  });

  it('comes and goes through its parent in OVN', () => {
    const row = (more: Partial<Port>) => portRow(port(CHILD, more), { network: { adminStateUp: true }, subnets: [] });
    expect(row(inTrunk(7))).toMatchObject({ parent_name: PARENT, tag_request: 7 });
    expect(row({ trunk: { ...inTrunk(null).trunk, parentId: CHILD } })).toMatchObject({
      parent_name: null,
      tag_request: null,
    });
    expect(row({})).toMatchObject({ parent_name: null, tag_request: null });
  });
});

it('a port of a trunk says as what it is in use', () => {
  expect(portOfTrunk(PARENT, { id: TRUNK, vlan: null }).type).toBe('PortInUseAsTrunkParent');
  expect(portOfTrunk(CHILD, { id: TRUNK, vlan: 7 }).type).toBe('PortInUseAsSubPort');
});
