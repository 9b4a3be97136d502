import { describe, expect, it } from 'vitest';
import { NO_EXTRAS, type Port, type PortExtras, type Subnet } from '../model.js';
import { shapeSubnet } from '../subnet.js';
import { NbMemory } from './nb-memory.fixture.js';
import { NbPlan } from './plan.js';
import { ownDhcpId, portRow } from './port-row.js';
import { RELATION, rowId } from './row-id.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const NET = '11111111-1111-4111-8111-111111111111';
const PORT = '33333333-3333-4333-8333-333333333333';
const at = { networkId: NET, projectId: 'p', name: '', description: '', ...born };
const four: Subnet = { id: 'v4', ...at, ...shapeSubnet({ version: 4, cidr: '10.0.0.0/24' }) };
const six: Subnet = {
  id: 'v6',
  ...at,
  ...shapeSubnet({ version: 6, cidr: 'fd00::/64', addressMode: 'dhcpv6-stateful', raMode: 'dhcpv6-stateful' }),
};
const network = { id: NET, mtu: 1442, adminStateUp: true, dnsDomain: '' };
const context = { network, metadataIp: '10.0.0.2', defaultDns: [] };

const port = (more: Partial<PortExtras & Pick<Port, 'hostname' | 'fixedIps'>>): Port => ({
  id: PORT,
  ...at,
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
  hostname: '',
  ownedByServer: false,
  qosPolicyId: null,
  fixedIps: [
    { subnetId: 'v4', address: '10.0.0.5' },
    { subnetId: 'v6', address: 'fd00::5' },
  ],
  groupIds: [],
  trunk: null,
  ...NO_EXTRAS,
  ...more,
});
const option = (name: string, value: string, version: 4 | 6 = 4) => ({ name, value, version });
const V4 = ownDhcpId(PORT, 4);
const V6 = ownDhcpId(PORT, 6);

function planned(nb: NbMemory, wanted: Port) {
  const plan = new NbPlan(nb);
  plan.put('Logical_Switch', NET, { name: '', other_config: new Map(), external_ids: new Map() });
  plan.portDhcp(wanted, [four, six], () => context).portNames(wanted, network);
  return plan.operations();
}

describe('what DHCP answers a port of its own', () => {
  it('is what the subnet says, with its options in place of those', () => {
    const nb = new NbMemory();
    const own = port({ dhcpOptions: [option('mtu', '1300'), option('router', ''), option('23', 'fd00::53', 6)] });
    nb.apply(planned(nb, own));
    const row = nb.row('DHCP_Options', V4);
    expect(row?.cidr).toBe('10.0.0.0/24');
    expect(Object.fromEntries(row?.options ?? [])).toEqual({
      server_id: '10.0.0.1',
      server_mac: expect.any(String),
      lease_time: '43200',
      mtu: '1300',
      classless_static_route: '{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}',
    });
    expect(nb.row('DHCP_Options', V6)?.options.get('dns_server')).toBe('fd00::53');
    expect(row?.external_ids.get('yagura:owner')).toBe(PORT);
    expect(portRow(own, { network, subnets: [four, six] })).toMatchObject({ dhcpv4_options: V4, dhcpv6_options: V6 });
    expect(planned(nb, own)).toEqual([]);
    nb.apply(planned(nb, port({})));
    expect(nb.row('DHCP_Options', V4)).toBeUndefined();
    expect(portRow(port({}), { network, subnets: [four, six] })).toMatchObject({
      dhcpv4_options: 'v4',
      dhcpv6_options: 'v6',
    });
  });

  it('is nothing of its own where OVN could say none of it', () => {
    const nb = new NbMemory();
    const odd = port({ dhcpOptions: [option('server-ip-address', '2015::badd'), option('my-own', 'x')] });
    nb.apply(planned(nb, odd));
    expect(nb.row('DHCP_Options', V4)).toBeUndefined();
    expect(portRow(odd, { network, subnets: [four] }).dhcpv4_options).toBe('v4');
  });

  it('is nothing at all where it is turned off', () => {
    const off = port({ dhcpOptions: [option('dhcp_disabled', '1'), option('mtu', '1300')] });
    expect(portRow(off, { network, subnets: [four, six] })).toMatchObject({
      dhcpv4_options: null,
      dhcpv6_options: 'v6',
    });
  });

  it('goes with the port', () => {
    const nb = new NbMemory();
    nb.apply(planned(nb, port({ dnsName: 'web', dhcpOptions: [option('mtu', '1300')] })));
    nb.apply(new NbPlan(nb).portGone(PORT).operations());
    expect(nb.row('DHCP_Options', V4)).toBeUndefined();
    expect(nb.row('DNS', rowId(RELATION.dns, PORT))).toBeUndefined();
  });
});

describe('what a port is called', () => {
  const records = (more: Parameters<typeof port>[0], dnsDomain = '') => {
    const nb = new NbMemory();
    const plan = new NbPlan(nb).put('Logical_Switch', NET, {
      name: '',
      other_config: new Map(),
      external_ids: new Map(),
    });
    nb.apply(plan.portNames(port(more), { dnsDomain }).operations());
    const row = nb.row('DNS', rowId(RELATION.dns, PORT));
    expect(nb.members('Logical_Switch', NET, 'dns_records').size).toBe(row ? 1 : 0);
    return row && Object.fromEntries(row.records);
  };

  it('is answered for both ways, under its domain', () => {
    const reverse = `5.${'0.'.repeat(29)}d.f.ip6.arpa`;
    expect(records({ dnsName: 'web' })).toEqual({
      web: '10.0.0.5 fd00::5',
      'web.openstacklocal': '10.0.0.5 fd00::5',
      '5.0.0.10.in-addr.arpa': 'web.openstacklocal',
      [reverse]: 'web.openstacklocal',
    });
    expect(records({ dnsName: 'web' }, 'my.org.')).toHaveProperty(['web.my.org']);
    expect(records({ dnsName: 'web', dnsDomain: 'own.org.' }, 'my.org.')).toHaveProperty(['web.own.org']);
    expect(records({ dnsName: 'web.other.' })).toHaveProperty(['web.other']);
  });

  it('follows its server, and is nothing without a name, an address, or a name that is one', () => {
    expect(records({ hostname: 'Guest-1' })).toHaveProperty(['guest-1']);
    expect(records({})).toBeUndefined();
    expect(records({ dnsName: 'web', fixedIps: [] })).toBeUndefined();
    expect(records({ hostname: 'a" ; b' })).toBeUndefined();
  });
});
