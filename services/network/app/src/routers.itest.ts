import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, fault, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
beforeAll(async () => {
  const quotas = { network: 200, subnet: 200, port: 200, router: 100 };
  bed = await testbed({ physicalNetworks: [{ name: 'public' }], quotas });
  on = new Routing(bed);
  for (const name of ['node-1', 'node-22', 'node-333']) on.node(name, ['public'], 'enable-chassis-as-gw');
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const OTHER = { project: 'p2' };
const inside = async (cidr: string, body: object = {}) => {
  const network = await on.network();
  return { network, subnet: await on.subnet(network, cidr, body) };
};

describe('routers', () => {
  it('are made, shown, listed, changed and deleted', async () => {
    const made = await on.router({ name: 'r', description: 'd' });
    expect(made).toMatchObject({
      name: 'r',
      description: 'd',
      project_id: 'p1',
      tenant_id: 'p1',
      admin_state_up: true,
      status: 'ACTIVE',
      external_gateway_info: null,
      routes: [],
      availability_zones: [],
      availability_zone_hints: [],
      flavor_id: null,
      revision_number: 1,
      tags: [],
    });
    expect(made).not.toHaveProperty('distributed');
    expect(await on.showRouter(made, ADMIN)).toMatchObject({ distributed: true, ha: true });
    const changed = one(await on.changeRouter(made, { name: 's', admin_state_up: false }), 'router');
    expect(changed).toMatchObject({ name: 's', admin_state_up: false, description: 'd', revision_number: 2 });
    expect((await bed.call('GET', '/v2.0/routers?name=s&fields=id')).body['routers']).toEqual([{ id: made.id }]);
    await soon(() => on.rows('Logical_Router', ['enabled'], `name=router_${made.id}`)).toEqual([[false]]);
    expect((await on.delete('routers', made)).status).toBe(204);
    expect(fault(await bed.call('GET', `/v2.0/routers/${made.id}`))).toEqual({ status: 404, type: 'RouterNotFound' });
    await soon(() => on.rows('Logical_Router', ['name'], `name=router_${made.id}`)).toEqual([]);
  });

  it('of another project do not exist', async () => {
    const made = await on.router();
    expect(fault(await bed.call('GET', `/v2.0/routers/${made.id}`, undefined, OTHER)).status).toBe(404);
    expect((await on.changeRouter(made, {}, OTHER)).status).toBe(404);
    expect((await on.add(made, { subnet_id: randomUUID() }, OTHER)).status).toBe(404);
    expect((await on.delete('routers', made, OTHER)).status).toBe(404);
    expect((await on.delete('routers', made)).status).toBe(204);
  });

  it('leave some choices to administrators', async () => {
    const make = async (router: object) => fault(await bed.call('POST', '/v2.0/routers', { router }));
    expect(await make({ distributed: true })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await make({ ha: false })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await make({ project_id: 'p2' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await make({ availability_zone_hints: ['mars'] })).toEqual({
      status: 404,
      type: 'AvailabilityZoneNotFound',
    });
    expect(await make({ nonsense: 1 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await on.router({ distributed: false, ha: false, project_id: 'p2' }, ADMIN)).toMatchObject({
      distributed: false,
      ha: false,
      project_id: 'p2',
    });
  });

  it('are changed only at the revision that the client saw, and count towards a quota', async () => {
    const made = await on.router({}, { project: 'tiny' });
    await bed.call('PUT', '/v2.0/quotas/tiny', { quota: { router: 3 } }, ADMIN);
    const more = await Promise.all(
      Array.from({ length: 6 }, () => bed.call('POST', '/v2.0/routers', { router: {} }, { project: 'tiny' })),
    );
    expect(more.map((answer) => answer.status).sort()).toEqual([201, 201, 409, 409, 409, 409]);
    const put = await fetch(`${bed.url}/v2.0/routers/${made.id}`, {
      method: 'PUT',
      headers: {
        'x-auth-token': bed.token('tiny'),
        'content-type': 'application/json',
        'if-match': 'revision_number=7',
      },
      body: JSON.stringify({ router: { name: 'x' } }),
    });
    expect(put.status).toBe(412);
  });
});

describe('interfaces', () => {
  it('take the gateway address of a subnet, and are in OVN', async () => {
    const { network, subnet } = await inside('10.1.0.0/24');
    const router = await on.router();
    const added = await on.add(router, { subnet_id: subnet.id });
    expect(added.status).toBe(200);
    const portId = added.body['port_id'] as string;
    expect(added.body).toEqual({
      id: router.id,
      tenant_id: 'p1',
      project_id: 'p1',
      port_id: portId,
      network_id: network.id,
      subnet_id: subnet.id,
      subnet_ids: [subnet.id],
    });
    const port = one(await bed.call('GET', `/v2.0/ports/${portId}`), 'port');
    expect(port).toMatchObject({
      device_id: router.id,
      device_owner: 'network:router_interface',
      project_id: 'p1',
      security_groups: [],
      fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.1.0.1' }],
    });
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['name', 'networks', 'enabled'])).toEqual([
      `lrp-${portId} 10.1.0.1/24 true`,
    ]);
    const side = () => on.rows('Logical_Switch_Port', ['type', 'addresses', 'options'], `name=${portId}`);
    await soon(side).toEqual([['router', 'router', ['map', [['router-port', `lrp-${portId}`]]]]]);
    await soon(async () => one(await bed.call('GET', `/v2.0/ports/${portId}`), 'port')['status']).toBe('ACTIVE');
    expect(fault(await on.delete('routers', router))).toEqual({ status: 409, type: 'RouterInUse' });
    expect(fault(await on.delete('subnets', subnet))).toEqual({ status: 409, type: 'SubnetInUse' });
    expect(fault(await on.delete('networks', network))).toEqual({ status: 409, type: 'NetworkInUse' });
    const gone = await on.remove(router, { subnet_id: subnet.id });
    expect(gone.body).toMatchObject({ port_id: portId, subnet_id: subnet.id, subnet_ids: [subnet.id] });
    expect((await bed.call('GET', `/v2.0/ports/${portId}`)).status).toBe(404);
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['name'])).toEqual([]);
    expect((await on.delete('routers', router)).status).toBe(204);
  });

  it('belong to the router, whatever the port API is told', async () => {
    const { subnet, network } = await inside('10.1.1.0/24');
    const router = await on.router();
    const { port_id: id } = (await on.add(router, { subnet_id: subnet.id })).body as { port_id: string };
    const put = async (port: object) => fault(await bed.call('PUT', `/v2.0/ports/${id}`, { port }));
    const served = { status: 409, type: 'ServicePortInUse' };
    expect(fault(await bed.call('DELETE', `/v2.0/ports/${id}`))).toEqual(served);
    expect(await put({ device_id: '' })).toEqual(served);
    expect(await put({ device_owner: 'compute:nova' })).toEqual(served);
    expect(await put({ fixed_ips: [] })).toEqual(served);
    const moved = await bed.call('PUT', `/v2.0/ports/${id}`, {
      port: { fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.1.1.9' }] },
    });
    expect(one(moved, 'port')['fixed_ips']).toEqual([{ subnet_id: subnet.id, ip_address: '10.1.1.9' }]);
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['networks'])).toEqual(['10.1.1.9/24']);
    const own = { network_id: network.id, device_owner: 'network:router_interface', device_id: router.id };
    const made = await bed.call('POST', '/v2.0/ports', { port: own });
    expect(fault(made)).toEqual({ status: 409, type: 'DeviceIDNotOwnedByTenant' });
  });

  it('can be ports that are there already', async () => {
    const { subnet, network } = await inside('10.1.2.0/24');
    const router = await on.router();
    const port = await on.port(network, { fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.1.2.77' }] });
    const added = await on.add(router, { port_id: port.id });
    expect(added.body).toMatchObject({ port_id: port.id, subnet_id: subnet.id, subnet_ids: [subnet.id] });
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['networks'])).toEqual(['10.1.2.77/24']);
    const again = await on.router();
    expect(fault(await on.add(again, { port_id: port.id }))).toEqual({ status: 409, type: 'PortInUse' });
    expect(fault(await on.remove(again, { port_id: port.id }))).toEqual({
      status: 404,
      type: 'RouterInterfaceNotFound',
    });
    const elsewhere = (await inside('10.1.3.0/24')).subnet;
    const both = { port_id: port.id, subnet_id: elsewhere.id };
    expect(fault(await on.remove(router, both))).toEqual({ status: 409, type: 'SubnetMismatchForPort' });
    expect((await on.remove(router, { port_id: port.id })).status).toBe(200);
    expect((await bed.call('GET', `/v2.0/ports/${port.id}`)).status).toBe(404);
  });

  it('share a port among the IPv6 subnets of a network, and announce what these say', async () => {
    const network = await on.network({ mtu: 1400 });
    const slaac = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac', dns_nameservers: ['2001:db8::53'] };
    const first = await on.subnet(network, 'fd00:1::/64', slaac);
    const second = await on.subnet(network, 'fd00:2::/64', slaac);
    const four = await on.subnet(network, '10.1.4.0/24');
    const router = await on.router();
    const added = [];
    for (const subnet of [first, four, second]) added.push((await on.add(router, { subnet_id: subnet.id })).body);
    expect(added[2]!['port_id']).toBe(added[0]!['port_id']);
    expect(added[1]!['port_id']).not.toBe(added[0]!['port_id']);
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['networks', 'ipv6_ra_configs'])).toEqual([
      '10.1.4.1/24 -',
      'fd00:1::1/64,fd00:2::1/64 address_mode=slaac,mtu=1400,rdnss=2001:db8::53,send_periodic=true',
    ]);
    await bed.call('PUT', `/v2.0/networks/${network.id}`, { network: { mtu: 1300 } });
    await bed.call('PUT', `/v2.0/subnets/${first.id}`, { subnet: { dns_nameservers: ['2001:db8::54'] } });
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['ipv6_ra_configs'])).toContain(
      'address_mode=slaac,mtu=1300,rdnss=2001:db8::54,send_periodic=true',
    );
    expect(fault(await on.delete('subnets', second))).toEqual({ status: 409, type: 'SubnetInUse' });
    expect((await on.remove(router, { subnet_id: first.id })).status).toBe(200);
    await soon(() => on.belongings(router, 'Logical_Router_Port', ['networks'])).toEqual([
      '10.1.4.1/24',
      'fd00:2::1/64',
    ]);
    expect((await on.remove(router, { subnet_id: second.id })).status).toBe(200);
    expect((await on.remove(router, { subnet_id: four.id })).status).toBe(200);
    expect((await on.delete('networks', network)).status).toBe(204);
  });

  it('are refused where they make no sense', async () => {
    const { subnet, network } = await inside('10.1.5.0/24');
    const router = await on.router();
    const bad = { status: 400, type: 'BadRequest' };
    expect((await on.add(router, { subnet_id: subnet.id })).status).toBe(200);
    expect(fault(await on.add(router, { subnet_id: subnet.id }))).toEqual(bad);
    const twin = await inside('10.1.4.0/23');
    expect(fault(await on.add(router, { subnet_id: twin.subnet.id }))).toEqual(bad);
    const port = await on.port(twin.network);
    expect(fault(await on.add(router, { port_id: port.id }))).toEqual(bad);
    const mute = await inside('10.1.6.0/24', { gateway_ip: null });
    expect(fault(await on.add(router, { subnet_id: mute.subnet.id }))).toEqual(bad);
    expect(fault(await on.add(router, {}))).toEqual(bad);
    expect(fault(await on.add(router, { subnet_id: subnet.id, port_id: port.id }))).toEqual(bad);
    expect(fault(await on.add(router, { subnet_id: randomUUID() }))).toEqual({ status: 404, type: 'SubnetNotFound' });
    expect(fault(await on.add(router, { port_id: 'x' }))).toEqual({ status: 404, type: 'PortNotFound' });
    const bare = await on.port(network, { fixed_ips: [] });
    expect(fault(await on.add(router, { port_id: bare.id }))).toEqual(bad);
    const foreign = { ipv6_address_mode: 'slaac', ip_version: 6 };
    const v6 = await inside('fd00:9::/64', foreign);
    expect(fault(await on.add(router, { subnet_id: v6.subnet.id }))).toEqual(bad);
    const taken = await inside('10.1.7.0/24');
    await on.port(taken.network, { fixed_ips: [{ ip_address: '10.1.7.1' }] });
    expect(fault(await on.add(router, { subnet_id: taken.subnet.id }))).toEqual({
      status: 409,
      type: 'IpAddressAlreadyAllocated',
    });
    const never = { subnet_id: twin.subnet.id };
    expect(fault(await on.remove(router, never))).toEqual({ status: 404, type: 'RouterInterfaceNotFoundForSubnet' });
  });

  it('are not for everyone in what is open to everyone', async () => {
    const shared = await on.network({ shared: true }, ADMIN);
    const subnet = await on.subnet(shared, '10.1.8.0/24', {}, ADMIN);
    const router = await on.router({}, OTHER);
    expect(fault(await on.add(router, { subnet_id: subnet.id }, OTHER))).toEqual({ status: 400, type: 'BadRequest' });
    expect((await on.add(router, { subnet_id: subnet.id }, ADMIN)).status).toBe(200);
  });

  it('never overlap, however many ask at once', async () => {
    const router = await on.router();
    const subnets = [];
    for (let i = 0; i < 20; i++) subnets.push((await inside('10.2.0.0/24')).subnet);
    const answers = await Promise.all(subnets.map((subnet) => on.add(router, { subnet_id: subnet.id })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    const refused = answers.filter((answer) => answer.status !== 200).map(fault);
    expect(new Set(refused.map((each) => `${each.status} ${each.type}`))).toEqual(new Set(['400 BadRequest']));
    expect((await on.showRouter(router))['revision_number']).toBe(2);
  });
});

describe('gateways', () => {
  const gatewayOf = (router: Row) => router['external_gateway_info'] as Record<string, unknown> | null;

  it('lead out through a few nodes, with a default route and translation', async () => {
    const { network, subnet } = await on.outside('203.0.113.0/24', {
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
    });
    const router = await on.router({ external_gateway_info: { network_id: network.id } });
    const info = gatewayOf(router)!;
    expect(info).toEqual({
      network_id: network.id,
      enable_snat: true,
      qos_policy_id: null,
      external_fixed_ips: [{ subnet_id: subnet.id, ip_address: expect.stringMatching(/^203\.0\.113\./) }],
    });
    const own = (info['external_fixed_ips'] as { ip_address: string }[])[0]!.ip_address;
    const inner = await inside('10.3.0.0/24');
    await on.add(router, { subnet_id: inner.subnet.id });
    const ports = (await bed.call('GET', `/v2.0/ports?device_id=${router.id}`, undefined, ADMIN)).body[
      'ports'
    ] as Row[];
    const port = ports.find((each) => each['device_owner'] === 'network:router_gateway')!;
    expect(port).toMatchObject({ project_id: '', network_id: network.id });
    await soon(() =>
      on.belongings(router, 'Logical_Router_Static_Route', ['ip_prefix', 'nexthop', 'output_port']),
    ).toEqual([`0.0.0.0/0 203.0.113.1 lrp-${port.id}`]);
    await soon(() => on.belongings(router, 'NAT', ['type', 'external_ip', 'logical_ip'])).toEqual([
      `snat ${own} 10.3.0.0/24`,
    ]);
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['priority', 'chassis_name']).length).toBe(3);
    const options = () => on.rows('Logical_Switch_Port', ['options'], `name=${port.id}`)[0]?.[0];
    await soon(options).toEqual([
      'map',
      [
        ['exclude-lb-vips-from-garp', 'true'],
        ['nat-addresses', 'router'],
        ['router-port', `lrp-${port.id}`],
      ],
    ]);
    on.node('node-4444', ['public'], 'enable-chassis-as-gw');
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['priority']).length).toBe(4);
    bed.ovn.tool('ovn-sbctl', 'chassis-del', 'node-4444');
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['priority'])).toEqual(['1', '2', '3']);

    const off = { network_id: network.id, enable_snat: false };
    expect(fault(await on.changeRouter(router, { external_gateway_info: off }))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const plain = one(await on.changeRouter(router, { external_gateway_info: off }, ADMIN), 'router');
    expect(gatewayOf(plain)).toMatchObject({ enable_snat: false, external_fixed_ips: [{ ip_address: own }] });
    await soon(() => on.belongings(router, 'NAT', ['type'])).toEqual([]);

    await bed.call('PUT', `/v2.0/subnets/${subnet.id}`, { subnet: { gateway_ip: null } }, ADMIN);
    await soon(() => on.belongings(router, 'Logical_Router_Static_Route', ['ip_prefix'])).toEqual([]);
    const cleared = one(await on.changeRouter(router, { external_gateway_info: {} }), 'router');
    expect(gatewayOf(cleared)).toBeNull();
    expect((await bed.call('GET', `/v2.0/ports/${port.id}`, undefined, ADMIN)).status).toBe(404);
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['priority'])).toEqual([]);
    expect((await on.delete('networks', network, ADMIN)).status).toBe(204);
  });

  it('translate nothing between networks of one address scope', async () => {
    const scope = one(
      await bed.call('POST', '/v2.0/address-scopes', { address_scope: { name: 's', ip_version: 4 } }, ADMIN),
      'address_scope',
    );
    const body = { name: 'p', prefixes: ['10.64.0.0/16'], default_prefixlen: 24, shared: true };
    const pool = one(await bed.call('POST', '/v2.0/subnetpools', { subnetpool: body }, ADMIN), 'subnetpool');
    const pooled = async (external: boolean) => {
      const network = await on.network({ 'router:external': external }, ADMIN);
      const subnet = { network_id: network.id, ip_version: 4, subnetpool_id: pool.id };
      return { network, subnet: one(await bed.call('POST', '/v2.0/subnets', { subnet }, ADMIN), 'subnet') };
    };
    const [away, inner] = [await pooled(true), await pooled(false)];
    const router = await on.router({ external_gateway_info: { network_id: away.network.id } }, ADMIN);
    const plain = await inside('10.3.9.0/24');
    for (const { subnet } of [inner, plain]) await on.add(router, { subnet_id: subnet.id }, ADMIN);
    const translated = () => on.belongings(router, 'NAT', ['logical_ip']);
    await soon(translated).toEqual(['10.3.9.0/24', inner.subnet['cidr']]);
    const join = async (id: string | null) =>
      bed.call('PUT', `/v2.0/subnetpools/${pool.id}`, { subnetpool: { address_scope_id: id } }, ADMIN);
    expect((await join(scope.id)).status).toBe(200);
    await soon(translated).toEqual(['10.3.9.0/24']);
    expect((await join(null)).status).toBe(200);
    await soon(translated).toEqual(['10.3.9.0/24', inner.subnet['cidr']]);
  });

  it('follow where OVN has them', async () => {
    const { network } = await on.outside('203.0.112.0/24');
    bed.ovn.tool(
      'ovn-sbctl',
      'set',
      'Chassis',
      'node-1',
      'other_config:ovn-cms-options="enable-chassis-as-gw,availability-zones=east"',
    );
    await soon(
      async () => (await bed.call('POST', '/v2.0/routers', { router: { availability_zone_hints: ['east'] } })).status,
    ).toBe(201);
    const router = await on.router({
      external_gateway_info: { network_id: network.id },
      availability_zone_hints: ['east'],
    });
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['chassis_name'])).toEqual(['node-1']);
    const [name] = on.rows('Logical_Router_Port', ['name'], `external_ids:"yagura:router"=${router.id}`)[0] as [string];
    await soon(() => {
      bed.ovn.tool('ovn-sbctl', '--may-exist', 'lsp-bind', `cr-${name}`, 'node-1');
      return true;
    }).toBe(true);
    await soon(async () => (await on.showRouter(router))['availability_zones']).toEqual(['east']);
  });

  it('are refused where there is no way out', async () => {
    const { network } = await inside('10.3.1.0/24');
    const set = async (info: object, as = {}) =>
      fault(await bed.call('POST', '/v2.0/routers', { router: { external_gateway_info: info } }, as));
    expect(await set({ network_id: network.id })).toEqual({ status: 400, type: 'BadRequest' });
    expect(await set({ network_id: network.id }, OTHER)).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(await set({ network_id: randomUUID() })).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(await set({ enable_snat: true }, ADMIN)).toEqual({ status: 400, type: 'HTTPBadRequest' });
    const out = await on.outside('203.0.114.0/29');
    const exact = { network_id: out.network.id, external_fixed_ips: [{ ip_address: '203.0.114.5' }] };
    expect(await set(exact)).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    const router = await on.router({ external_gateway_info: exact }, ADMIN);
    expect(gatewayOf(router)).toMatchObject({ external_fixed_ips: [{ ip_address: '203.0.114.5' }] });
    expect(await set(exact, ADMIN)).toEqual({ status: 409, type: 'IpAddressAlreadyAllocated' });
    const close = { network: { 'router:external': false } };
    expect(fault(await bed.call('PUT', `/v2.0/networks/${out.network.id}`, close, ADMIN))).toEqual({
      status: 409,
      type: 'ExternalNetworkInUse',
    });
    const overlapping = await inside('203.0.114.0/28');
    expect(fault(await on.add(router, { subnet_id: overlapping.subnet.id }, ADMIN))).toEqual({
      status: 400,
      type: 'BadRequest',
    });
  });
});

describe('extra routes', () => {
  it('lead through what the router is in, and hold it there', async () => {
    const { subnet } = await inside('10.4.0.0/24');
    const router = await on.router();
    await on.add(router, { subnet_id: subnet.id });
    const route = (destination: string, nexthop: string) => ({ destination, nexthop });
    const set = (routes: object[] | null) => on.changeRouter(router, { routes });
    const first = route('192.168.0.0/24', '10.4.0.7');
    expect(one(await set([first]), 'router')['routes']).toEqual([first]);
    await soon(() => on.belongings(router, 'Logical_Router_Static_Route', ['ip_prefix', 'nexthop'])).toEqual([
      '192.168.0.0/24 10.4.0.7',
    ]);
    const invalid = { status: 400, type: 'InvalidRoutes' };
    expect(fault(await set([route('192.168.0.0/24', '10.5.0.7')]))).toEqual(invalid);
    expect(fault(await set([route('192.168.0.0/24', '10.4.0.1')]))).toEqual(invalid);
    expect(fault(await set([route('192.168.0.0/24', 'fd00::1')]))).toEqual(invalid);
    expect(fault(await set([route('nonsense', '10.4.0.7')])).status).toBe(400);
    expect(fault(await set([first, first])).status).toBe(400);
    const many = Array.from({ length: 31 }, (_, i) => route(`192.168.${i}.0/24`, '10.4.0.7'));
    expect(fault(await set(many))).toEqual({ status: 400, type: 'RoutesExhausted' });
    expect(fault(await on.remove(router, { subnet_id: subnet.id }))).toEqual({
      status: 409,
      type: 'RouterInterfaceInUseByRoute',
    });
    const path = `/v2.0/routers/${router.id}`;
    const change = (verb: string, routes: object[]) => bed.call('PUT', `${path}/${verb}`, { router: { routes } });
    const added = await Promise.all(
      Array.from({ length: 10 }, (_, i) => change('add_extraroutes', [route(`172.16.${i}.0/24`, '10.4.0.8')])),
    );
    expect(new Set(added.map((answer) => answer.status))).toEqual(new Set([200]));
    expect((await on.showRouter(router))['routes']).toHaveLength(11);
    expect(one(await change('add_extraroutes', [first]), 'router')['routes']).toHaveLength(11);
    expect(one(await change('remove_extraroutes', [first]), 'router')['routes']).toHaveLength(10);
    expect(one(await set(null), 'router')['routes']).toEqual([]);
    await soon(() => on.belongings(router, 'Logical_Router_Static_Route', ['ip_prefix'])).toEqual([]);
    expect((await on.remove(router, { subnet_id: subnet.id })).status).toBe(200);
  });
});

describe('repair', () => {
  it('brings back what others took from a router, and all of it after OVN was lost', async () => {
    const { network } = await on.outside('203.0.115.0/24');
    const router = await on.router({ external_gateway_info: { network_id: network.id } });
    const { subnet } = await inside('10.5.0.0/24');
    await on.add(router, { subnet_id: subnet.id });
    const all = () => [
      on.belongings(router, 'Logical_Router_Port', ['networks']).length,
      on.belongings(router, 'NAT', ['type']).length,
      on.belongings(router, 'Logical_Router_Static_Route', ['ip_prefix']).length,
      on.belongings(router, 'Gateway_Chassis', ['chassis_name']).length,
    ];
    await soon(all).toEqual([2, 1, 1, 3]);
    bed.ovn.tool('ovn-nbctl', 'lr-nat-del', router.id);
    bed.ovn.tool('ovn-nbctl', 'clear', 'Logical_Router', router.id, 'static_routes');
    await soon(all).toEqual([2, 1, 1, 3]);
    bed.ovn.tool('ovn-nbctl', 'lr-del', router.id);
    await soon(all).toEqual([2, 1, 1, 3]);
    await bed.ovn.restartNb({ empty: true });
    await soon(all).toEqual([2, 1, 1, 3]);
  });
});
