import { describe, expect, it } from 'vitest';
import type { Chassis } from '../chassis.js';
import { GATEWAY_OWNER, INTERFACE_OWNER } from '../device-owner.js';
import type { Network, Port, Subnet } from '../model.js';
import type { Router } from '../router.js';
import { shapeSubnet } from '../subnet.js';
import { gatewaysOf } from './gateway.js';
import { type FloatingContext, isServedOnNode, planFloatingIp, planFloatingIpGone } from './nat.js';
import { NbMemory } from './nb-memory.fixture.js';
import { NbPlan } from './plan.js';
import { planRouter, planRouterGone, type RouterSurroundings } from './router.js';
import { RELATION, rowId } from './row-id.js';
import type { NbOp } from './rows.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const R = '11111111-1111-4111-8111-111111111111';
const OUT = '22222222-2222-4222-8222-222222222222';
const IN = '33333333-3333-4333-8333-333333333333';
const OUT_SUB = '44444444-4444-4444-8444-444444444444';
const IN_SUB = '55555555-5555-4555-8555-555555555555';
const GW = '66666666-6666-4666-8666-666666666666';
const LEG = '77777777-7777-4777-8777-777777777777';
const FIP = '88888888-8888-4888-8888-888888888888';
const GUEST = '99999999-9999-4999-8999-999999999999';

const router: Router = {
  id: R,
  projectId: 'p',
  name: 'r',
  description: '',
  adminStateUp: true,
  distributed: true,
  ha: true,
  zoneHints: [],
  flavorId: null,
  routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
  tunnelKey: 8_388_700,
  gateway: {
    portId: GW,
    networkId: OUT,
    snat: true,
    qosPolicyId: null,
    fixedIps: [{ subnetId: OUT_SUB, address: '203.0.113.5' }],
  },
  gatewayHost: '',
  ...born,
};
const network = (id: string, more: Partial<Network> = {}): Network => ({
  id,
  projectId: 'p',
  name: '',
  description: '',
  adminStateUp: true,
  sharedWith: [],
  external: id === OUT,
  externalTo: [],
  isDefault: false,
  networkType: id === OUT ? 'flat' : 'geneve',
  physicalNetwork: id === OUT ? 'public' : null,
  tunnelKey: 7,
  qosPolicyId: null,
  mtu: 1442,
  portSecurity: true,
  segmentationId: null,
  subnetIds: [],
  dnsDomain: '',
  zoneHints: [],
  ipv4ScopeId: null,
  ipv6ScopeId: null,
  ...born,
  ...more,
});
const subnet = (id: string, networkId: string, cidr: string): Subnet => ({
  id,
  networkId,
  projectId: 'p',
  name: '',
  description: '',
  ...shapeSubnet({ version: 4, cidr }),
  ...born,
});
const port = (id: string, networkId: string, deviceOwner: string, subnetId: string, address: string): Port => ({
  id,
  networkId,
  projectId: '',
  name: '',
  description: '',
  mac: 'fa:16:3e:00:00:01',
  adminStateUp: true,
  deviceId: R,
  deviceOwner,
  status: 'DOWN',
  host: '',
  vnicType: 'normal',
  profile: {},
  portSecurity: false,
  addressPairs: [],
  hostname: '',
  ownedByServer: false,
  qosPolicyId: null,
  trunk: null,
  dnsName: '',
  dnsDomain: '',
  dhcpOptions: [],
  uplinkStatus: true,
  dataPlaneStatus: null,
  fixedIps: [{ subnetId, address }],
  groupIds: [],
  ...born,
});
const node = (name: string, more: Partial<Chassis> = {}): Chassis => ({
  id: name,
  name,
  hostname: name,
  physicalNetworks: ['public'],
  isGateway: true,
  zones: [],
  heardAt: null,
  bridgeMappings: '',
  caughtUp: true,
  ...more,
});
const nodes = ['a', 'b', 'c'].map((name) => node(name));
const gatewayPort = port(GW, OUT, GATEWAY_OWNER, OUT_SUB, '203.0.113.5');
const leg = port(LEG, IN, INTERFACE_OWNER, IN_SUB, '10.0.0.1');
const context = (more: Partial<FloatingContext> = {}): FloatingContext => ({
  router,
  network: network(OUT),
  inside: { networkType: 'geneve' },
  ownMac: 'fa:16:3e:00:00:99',
  port: { id: GUEST, host: 'b' },
  chassis: nodes,
  ...more,
});
const floating = { id: FIP, address: '203.0.113.9', fixedAddress: '10.0.0.5' };
const around = (more: Partial<RouterSurroundings> = {}): RouterSurroundings => ({
  ports: [gatewayPort, leg],
  networks: new Map([OUT, IN].map((id) => [id, network(id)])),
  subnets: [subnet(OUT_SUB, OUT, '203.0.113.0/24'), subnet(IN_SUB, IN, '10.0.0.0/24')],
  floating: [{ ip: floating, context: context() }],
  forwarded: [],
  chassis: nodes,
  isKnownOutside: () => false,
  ...more,
});

function planned(nb: NbMemory, subject = router, surroundings = around()): readonly NbOp[] {
  const plan = new NbPlan(nb);
  planRouter(plan, subject, surroundings);
  return plan.operations();
}
const standing = (): NbMemory => {
  const nb = new NbMemory();
  nb.apply(planned(nb));
  return nb;
};
const lines = (ops: readonly NbOp[]): string[] => ops.map((op) => `${op.kind} ${op.table} ${op.uuid.slice(0, 8)}`);

describe('a router', () => {
  it('is planned once, and then there is nothing left to do', () => {
    const nb = new NbMemory();
    const ops = planned(nb);
    const counts = [...Map.groupBy(ops, (op) => `${op.kind} ${op.table}`)].map(
      ([what, own]) => `${what} ${own.length}`,
    );
    expect(counts).toEqual([
      'insert Logical_Router 1',
      'insert Logical_Router_Port 2',
      'insert Gateway_Chassis 3',
      'insert Logical_Router_Static_Route 2',
      'insert NAT 2',
      'add Logical_Router 3',
      'add Logical_Router_Port 1',
    ]);
    nb.apply(ops);
    expect(planned(nb)).toEqual([]);
  });

  it('translates only while it is told to, and not what is known outside', () => {
    const nb = standing();
    const snat = rowId(RELATION.snat, R, IN_SUB);
    expect(nb.row('NAT', snat)).toMatchObject({ type: 'snat', external_ip: '203.0.113.5', logical_ip: '10.0.0.0/24' });
    const plain = { ...router, gateway: { ...router.gateway!, snat: false } };
    const takenAway = [{ kind: 'remove', table: 'Logical_Router', uuid: R, column: 'nat', members: [snat] }];
    expect(planned(nb, plain)).toEqual(takenAway);
    expect(planned(nb, router, around({ isKnownOutside: () => true }))).toEqual(takenAway);
  });

  it('lets go of what it has no more, and of nothing that is not ours', () => {
    const nb = standing();
    nb.apply([
      {
        kind: 'insert',
        table: 'NAT',
        uuid: GUEST,
        values: { ...nb.row('NAT', FIP)!, external_ids: new Map() },
      },
      { kind: 'add', table: 'Logical_Router', uuid: R, column: 'nat', members: [GUEST] },
    ]);
    nb.apply(planned(nb, { ...router, gateway: null, routes: [] }, around({ ports: [], floating: [] })));
    expect([...nb.members('Logical_Router', R, 'ports')]).toEqual([]);
    expect([...nb.members('Logical_Router', R, 'static_routes')]).toEqual([]);
    expect([...nb.members('Logical_Router', R, 'nat')]).toEqual([GUEST]);
  });

  it('keeps its gateways, and where it translates, while no node is known', () => {
    const nb = standing();
    const unknown = { chassis: [], floating: [{ ip: floating, context: context({ chassis: [] }) }] };
    expect(planned(nb, router, around(unknown))).toEqual([]);
  });

  it('speaks from one node to networks of VLANs', () => {
    const nb = new NbMemory();
    const networks = new Map([
      [OUT, network(OUT)],
      [IN, network(IN, { networkType: 'vlan', physicalNetwork: 'public', segmentationId: 9 })],
    ]);
    nb.apply(planned(nb, router, around({ networks })));
    expect(nb.row('Logical_Router_Port', rowId(RELATION.routerPort, LEG))?.options).toEqual(
      new Map([['reside-on-redirect-chassis', 'true']]),
    );
    expect(nb.row('Logical_Router_Port', rowId(RELATION.routerPort, GW))?.options).toEqual(new Map());
  });

  it('goes as a whole', () => {
    const plan = new NbPlan(standing());
    planRouterGone(plan, R);
    expect(lines(plan.operations())).toEqual(['delete Logical_Router 11111111']);
  });
});

describe('gateways', () => {
  const many = Array.from({ length: 20 }, (_, i) => node(`node-${i}`));
  const routers = Array.from({ length: 200 }, (_, i) => ({ ...router, id: `${R.slice(0, -3)}${100 + i}` }));

  it('are a few, the same ones each time, in an order of the router', () => {
    const first = gatewaysOf(router, many, 'public');
    expect(first).toHaveLength(5);
    expect(gatewaysOf(router, [...many].reverse(), 'public')).toEqual(first);
    expect(gatewaysOf({ ...router, ha: false }, many, 'public')).toEqual([first[0]]);
  });

  it('spread over the nodes, and move only where a node goes', () => {
    const leaders = routers.map((each) => gatewaysOf(each, many, 'public')[0]!);
    const share = Map.groupBy(leaders, (name) => name);
    expect(share.size).toBe(20);
    expect(Math.max(...[...share.values()].map((own) => own.length))).toBeLessThan(30);
    const without = many.filter((chassis) => chassis.name !== 'node-3');
    for (const [index, each] of routers.entries()) {
      const leader = gatewaysOf(each, without, 'public')[0];
      if (leaders[index] !== 'node-3') expect(leader).toBe(leaders[index]);
    }
  });

  it('reach the network, and are in the zones that were asked for where there are any', () => {
    const some = [node('far', { physicalNetworks: [] }), node('east', { zones: ['east'] }), node('west')];
    expect(gatewaysOf(router, some, 'public').sort()).toEqual(['east', 'west']);
    expect(gatewaysOf({ ...router, zoneHints: ['east'] }, some, 'public')).toEqual(['east']);
    expect(gatewaysOf({ ...router, zoneHints: ['mars'] }, some, 'public')).toHaveLength(2);
    expect(gatewaysOf(router, some, null)).toHaveLength(3);
  });
});

describe('a floating IP', () => {
  it('is served on the node of its port where that reaches the outside, else by the gateway', () => {
    expect(isServedOnNode(context())).toBe(true);
    expect(isServedOnNode(context({ router: { id: R, distributed: false } }))).toBe(false);
    expect(isServedOnNode(context({ port: { id: GUEST, host: '' } }))).toBe(false);
    expect(isServedOnNode(context({ port: { id: GUEST, host: 'unknown' } }))).toBe(false);
    expect(isServedOnNode(context({ chassis: [node('b', { physicalNetworks: [] })] }))).toBe(false);
    expect(isServedOnNode(context({ network: { physicalNetwork: null } }))).toBe(false);
    expect(isServedOnNode(context({ inside: { networkType: 'vlan' } }))).toBe(false);
    expect(standing().row('NAT', FIP)).toMatchObject({
      type: 'dnat_and_snat',
      external_ip: '203.0.113.9',
      logical_ip: '10.0.0.5',
      external_mac: 'fa:16:3e:00:00:99',
      logical_port: GUEST,
    });
  });

  it('moves to another router, and goes', () => {
    const nb = standing();
    const other = { ...router, id: OUT };
    nb.apply(planned(nb, other, around({ ports: [], floating: [] })));
    const plan = new NbPlan(nb);
    planFloatingIp(plan, floating, context({ router: other }));
    nb.apply(plan.operations());
    expect(nb.members('Logical_Router', OUT, 'nat').has(FIP)).toBe(true);
    expect(nb.members('Logical_Router', R, 'nat').has(FIP)).toBe(false);
    const end = new NbPlan(nb);
    planFloatingIpGone(end, FIP);
    expect(lines(end.operations())).toEqual(['remove Logical_Router 22222222']);
  });
});
