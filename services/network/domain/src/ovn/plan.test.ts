import { describe, expect, it } from 'vitest';
import {
  METADATA_OWNER,
  type Network,
  NO_EXTRAS,
  type Port,
  type SecurityGroup,
  type SecurityGroupRule,
  type Subnet,
} from '../model.js';
import { shapeRule } from '../security-group-rule.js';
import { shapeSubnet } from '../subnet.js';
import { GUARD_ID, guardAcls } from './acl.js';
import { NbMemory } from './nb-memory.fixture.js';
import { NbPlan } from './plan.js';
import { portRow } from './port-row.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const NET = '11111111-1111-4111-8111-111111111111';
const SUB = '22222222-2222-4222-8222-222222222222';
const PORT = '33333333-3333-4333-8333-333333333333';
const GROUP = '44444444-4444-4444-8444-444444444444';
const OTHER = '55555555-5555-4555-8555-555555555555';

const network: Network = {
  id: NET,
  projectId: 'p',
  name: 'n',
  description: '',
  adminStateUp: true,
  sharedWith: [],
  external: false,
  externalTo: [],
  isDefault: false,
  networkType: 'geneve',
  physicalNetwork: null,
  tunnelKey: 77,
  ipv4ScopeId: null,
  ipv6ScopeId: null,
  qosPolicyId: null,
  dnsDomain: '',
  zoneHints: [],
  mtu: 1442,
  portSecurity: true,
  segmentationId: 77,
  subnetIds: [SUB],
  ...born,
};
const subnet: Subnet = {
  id: SUB,
  networkId: NET,
  projectId: 'p',
  name: '',
  description: '',
  ...shapeSubnet({
    version: 4,
    cidr: '10.0.0.0/24',
    dns: ['9.9.9.9'],
    routes: [{ destination: '10.5.0.0/16', nexthop: '10.0.0.9' }],
  }),
  ...born,
};
const port = (more: Partial<Port> = {}): Port => ({
  id: PORT,
  networkId: NET,
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
  fixedIps: [{ subnetId: SUB, address: '10.0.0.5' }],
  groupIds: [GROUP],
  ...born,
  ...more,
});
const rulesOf = (groupId: string): SecurityGroupRule[] =>
  ['IPv4', 'IPv6']
    .flatMap((ethertype) => [
      shapeRule({ direction: 'egress', ethertype }),
      shapeRule({ direction: 'ingress', ethertype, remoteGroupId: groupId }),
    ])
    .map((shape, i) => ({
      id: `${groupId.slice(0, 35)}${i}`,
      groupId,
      projectId: 'p',
      description: '',
      ofDefaultGroup: true,
      ...shape,
      ...born,
    }));
const group = (id = GROUP, rules = rulesOf(id)): SecurityGroup => ({
  id,
  projectId: 'p',
  name: 'default',
  description: '',
  sharedWith: [],
  stateful: true,
  isDefault: true,
  rules,
  ...born,
});
const context = { network, subnets: [subnet] };
const dhcp = { network, metadataIp: '10.0.0.2', defaultDns: [] };

function everything(plan: NbPlan): NbPlan {
  return plan.guard().network(network).subnet(subnet, dhcp).group(group()).port(port(), context);
}

describe('the plan', () => {
  it('brings about all rows, and then has nothing left to do', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    expect(nb.row('Logical_Switch', NET)).toMatchObject({ name: `net_${NET}` });
    expect([...nb.members('Logical_Switch', NET, 'ports')]).toEqual([PORT]);
    expect([...nb.members('Port_Group', GROUP, 'ports')]).toEqual([PORT]);
    expect([...nb.members('Port_Group', GUARD_ID, 'ports')]).toEqual([PORT]);
    expect(nb.members('Port_Group', GROUP, 'acls').size).toBe(4);
    expect(nb.members('Port_Group', GUARD_ID, 'acls').size).toBe(guardAcls.size);
    expect(everything(new NbPlan(nb)).operations()).toEqual([]);
  });

  it('changes only what differs', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    const ops = new NbPlan(nb).port(port({ host: 'node-1', adminStateUp: false }), context).operations();
    expect(ops).toEqual([
      {
        kind: 'update',
        table: 'Logical_Switch_Port',
        uuid: PORT,
        values: { enabled: false, options: new Map([['requested-chassis', 'node-1']]) },
      },
    ]);
  });

  it('moves a port from group to group', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    nb.apply(
      new NbPlan(nb)
        .group(group(OTHER))
        .port(port({ groupIds: [OTHER] }), context)
        .operations(),
    );
    expect(nb.members('Port_Group', GROUP, 'ports').size).toBe(0);
    expect([...nb.members('Port_Group', OTHER, 'ports')]).toEqual([PORT]);
    expect([...nb.members('Port_Group', GUARD_ID, 'ports')]).toEqual([PORT]);
  });

  it('takes an unguarded port out of every group', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    nb.apply(new NbPlan(nb).port(port({ portSecurity: false, groupIds: [] }), context).operations());
    expect(nb.members('Port_Group', GUARD_ID, 'ports').size).toBe(0);
    expect(nb.members('Port_Group', GROUP, 'ports').size).toBe(0);
    expect([...(nb.row('Logical_Switch_Port', PORT)?.addresses ?? [])]).toContain('unknown');
    expect(nb.row('Logical_Switch_Port', PORT)?.port_security.size).toBe(0);
  });

  it('leaves groups that only a look at the database shows', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    nb.apply([{ kind: 'insert', table: 'Port_Group', uuid: OTHER, values: { name: 'pg', external_ids: new Map() } }]);
    nb.apply([{ kind: 'add', table: 'Port_Group', uuid: OTHER, column: 'ports', members: [PORT] }]);
    expect(new NbPlan(nb).port(port(), context).operations()).toEqual([]);
    const ops = new NbPlan(nb).port(port(), context, [GROUP, GUARD_ID, OTHER]).operations();
    expect(ops).toEqual([{ kind: 'remove', table: 'Port_Group', uuid: OTHER, column: 'ports', members: [PORT] }]);
  });

  it('drops ACLs of rules that are gone and keeps the rest untouched', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    const ops = new NbPlan(nb).group(group(GROUP, rulesOf(GROUP).slice(1))).operations();
    expect(ops).toEqual([
      { kind: 'remove', table: 'Port_Group', uuid: GROUP, column: 'acls', members: [rulesOf(GROUP)[0]?.id] },
    ]);
  });

  it('removes what is gone, once', () => {
    const nb = new NbMemory();
    nb.apply(everything(new NbPlan(nb)).operations());
    const remove = () =>
      new NbPlan(nb).portGone(PORT).gone('DHCP_Options', SUB).gone('Port_Group', GROUP).gone('Logical_Switch', NET);
    nb.apply(remove().operations());
    expect(nb.row('Logical_Switch', NET)).toBeUndefined();
    expect(remove().operations()).toEqual([]);
  });

  it('says one thing once when several resources need it', () => {
    const nb = new NbMemory();
    const second = port({ id: OTHER, mac: 'fa:16:3e:00:00:02' });
    const ops = everything(new NbPlan(nb)).network(network).group(group()).port(second, context).operations();
    const keys = ops.map((op) => `${op.kind} ${op.table} ${op.uuid} ${'column' in op ? op.column : ''}`);
    expect(new Set(keys).size).toBe(keys.length);
    nb.apply(ops);
    expect(nb.members('Port_Group', GROUP, 'ports').size).toBe(2);
  });
});

describe('the row of a port', () => {
  const rowOf = (more: Partial<Port>) => {
    const nb = new NbMemory();
    nb.apply(new NbPlan(nb).guard().group(group()).network(network).port(port(more), context).operations());
    return nb.row('Logical_Switch_Port', PORT)!;
  };

  it('lets a guest send from its own addresses only', () => {
    const row = rowOf({});
    expect([...row.port_security]).toEqual(['fa:16:3e:00:00:01 10.0.0.5 fe80::f816:3eff:fe00:1']);
    expect([...row.addresses]).toEqual(['fa:16:3e:00:00:01 10.0.0.5']);
    expect(row.dhcpv4_options).toBe(SUB);
  });

  it('leaves no version open that none of its addresses is of', () => {
    const security = (more: Partial<Port>) => [...portRow(port(more), context).port_security];
    expect(security({ fixedIps: [] })).toEqual(['fa:16:3e:00:00:01 0.0.0.0 fe80::f816:3eff:fe00:1']);
    expect(security({ fixedIps: [{ subnetId: SUB, address: 'fd00::5' }] })).toEqual([
      'fa:16:3e:00:00:01 fd00::5 0.0.0.0',
    ]);
    expect(security({ addressPairs: [{ mac: 'fa:16:3e:00:00:99', ip: 'fd00::/64' }] })).toEqual([
      'fa:16:3e:00:00:01 10.0.0.5 fe80::f816:3eff:fe00:1',
      'fa:16:3e:00:00:99 fd00::/64 0.0.0.0',
    ]);
  });

  it('lets it send from allowed pairs too', () => {
    const pairs = [
      { mac: 'fa:16:3e:00:00:01', ip: '10.0.0.100' },
      { mac: 'fa:16:3e:00:00:99', ip: '10.0.0.0/28' },
    ];
    const row = rowOf({ addressPairs: pairs });
    expect([...row.port_security]).toEqual([
      'fa:16:3e:00:00:01 10.0.0.5 10.0.0.100 fe80::f816:3eff:fe00:1',
      'fa:16:3e:00:00:99 10.0.0.0/28 fe80::f816:3eff:fe00:99',
    ]);
    expect([...row.addresses]).toEqual(['fa:16:3e:00:00:01 10.0.0.5', 'fa:16:3e:00:00:99']);
  });

  it('is a localport for metadata, in no group', () => {
    const row = rowOf({ deviceOwner: METADATA_OWNER, groupIds: [] });
    expect(row).toMatchObject({ type: 'localport', dhcpv4_options: null });
    expect(row.port_security.size).toBe(0);
    expect([...row.addresses]).toEqual(['fa:16:3e:00:00:01 10.0.0.5']);
  });

  it('names the guest for DHCP', () => {
    expect(rowOf({ hostname: 'web-1' }).options.get('hostname')).toBe('"web-1"');
  });
});

describe('DHCP', () => {
  const options = (more: Partial<Subnet> = {}, metadataIp: string | null = '10.0.0.2') => {
    const nb = new NbMemory();
    nb.apply(
      new NbPlan(nb).subnet({ ...subnet, ...more }, { network, metadataIp, defaultDns: ['8.8.8.8'] }).operations(),
    );
    return nb.row('DHCP_Options', SUB)?.options;
  };

  it('tells the router, the routes with the way to metadata, the nameservers and the MTU', () => {
    expect(Object.fromEntries(options() ?? [])).toEqual({
      server_id: '10.0.0.1',
      server_mac: 'fa:16:3f:22:22:22',
      lease_time: '43200',
      mtu: '1442',
      router: '10.0.0.1',
      classless_static_route: '{169.254.169.254/32,10.0.0.2, 10.5.0.0/16,10.0.0.9, 0.0.0.0/0,10.0.0.1}',
      dns_server: '{9.9.9.9}',
    });
  });

  it('tells no default route without a gateway', () => {
    const found = options({ gateway: null, routes: [], dns: [] });
    expect(found?.get('server_id')).toBe('10.0.0.2');
    expect(found?.has('router')).toBe(false);
    expect(found?.get('classless_static_route')).toBe('{169.254.169.254/32,10.0.0.2}');
    expect(found?.get('dns_server')).toBe('{8.8.8.8}');
  });

  it('answers nothing where it is off, or where guests address themselves', () => {
    expect(options({ dhcp: false })).toBeUndefined();
    expect(
      options(shapeSubnet({ version: 6, cidr: '2001:db8::/64', addressMode: 'slaac', raMode: 'slaac' })),
    ).toBeUndefined();
    const stateless = options(shapeSubnet({ version: 6, cidr: '2001:db8::/64', addressMode: 'dhcpv6-stateless' }));
    expect(stateless?.get('dhcpv6_stateless')).toBe('true');
  });
});
