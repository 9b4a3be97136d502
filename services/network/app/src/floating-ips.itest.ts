import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, fault, type Outside, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
let out: Outside;
let network: Row;
let subnet: Row;
let router: Row;
beforeAll(async () => {
  const quotas = { network: 200, subnet: 200, port: 200, router: 100, floatingip: 60 };
  bed = await testbed({ physicalNetworks: [{ name: 'public' }], quotas });
  on = new Routing(bed);
  for (const name of ['node-1', 'node-22']) on.node(name, ['public'], 'enable-chassis-as-gw');
  on.node('node-333', []);
  out = await on.outside('203.0.113.0/24', {
    'provider:network_type': 'flat',
    'provider:physical_network': 'public',
  });
  network = await on.network();
  subnet = await on.subnet(network, '10.0.0.0/24');
  router = await on.router({ external_gateway_info: { network_id: out.network.id } });
  await on.add(router, { subnet_id: subnet.id });
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const OTHER = { project: 'p2' };
const make = async (body: object = {}, as = {}) =>
  one(await on.floating({ floating_network_id: out.network.id, ...body }, as), 'floatingip');
const natOf = (floating: Row) =>
  on.rows(
    'NAT',
    ['external_ip', 'logical_ip', 'external_mac', 'logical_port'],
    'type=dnat_and_snat',
    `external_ip=${String(floating['floating_ip_address'])}`,
  );
const NONE = ['set', []];

describe('floating IPs', () => {
  it('are made, put on ports, moved, taken off and deleted', async () => {
    const [first, second] = [await on.port(network, { name: 'one' }), await on.port(network)];
    const addressOf = (port: Row) => (port['fixed_ips'] as { ip_address: string }[])[0]!.ip_address;
    const made = await make({ port_id: first.id, description: 'd' });
    expect(made).toMatchObject({
      floating_network_id: out.network.id,
      floating_ip_address: expect.stringMatching(/^203\.0\.113\./),
      fixed_ip_address: addressOf(first),
      port_id: first.id,
      router_id: router.id,
      project_id: 'p1',
      tenant_id: 'p1',
      description: 'd',
      status: 'DOWN',
      revision_number: 2,
      tags: [],
    });
    expect(made['port_details']).toEqual({
      name: 'one',
      network_id: network.id,
      mac_address: first['mac_address'],
      admin_state_up: true,
      status: 'DOWN',
      device_id: '',
      device_owner: '',
    });
    await soon(() => natOf(made)).toEqual([[made['floating_ip_address'], addressOf(first), NONE, NONE]]);
    const listed = (await bed.call('GET', `/v2.0/floatingips?port_id=${first.id}`)).body['floatingips'] as Row[];
    expect(listed.map((row) => row.id)).toEqual([made.id]);
    const moved = one(await on.changeFloating(made, { port_id: second.id }), 'floatingip');
    expect(moved).toMatchObject({ port_id: second.id, fixed_ip_address: addressOf(second), router_id: router.id });
    await soon(() => natOf(made)[0]?.[1]).toBe(addressOf(second));
    const free = one(await on.changeFloating(made, { port_id: null }), 'floatingip');
    expect(free).toMatchObject({
      port_id: null,
      fixed_ip_address: null,
      router_id: null,
      port_details: null,
      status: 'DOWN',
    });
    await soon(() => natOf(made)).toEqual([]);
    const ports = async () =>
      (await bed.call('GET', `/v2.0/ports?device_id=${made.id}`, undefined, ADMIN)).body['ports'] as Row[];
    const [own] = await ports();
    expect(own).toMatchObject({ device_owner: 'network:floatingip', project_id: '', status: 'N/A' });
    expect(fault(await bed.call('DELETE', `/v2.0/ports/${own!.id}`, undefined, ADMIN))).toEqual({
      status: 409,
      type: 'ServicePortInUse',
    });
    expect((await on.delete('floatingips', made)).status).toBe(204);
    expect(await ports()).toEqual([]);
    expect(fault(await bed.call('GET', `/v2.0/floatingips/${made.id}`))).toEqual({
      status: 404,
      type: 'FloatingIPNotFound',
    });
  });

  it('go from ports that are deleted, or that have the address no more', async () => {
    const port = await on.port(network);
    const made = await make({ port_id: port.id });
    expect((await on.delete('ports', port)).status).toBe(204);
    expect(await on.showFloating(made)).toMatchObject({ port_id: null, router_id: null, fixed_ip_address: null });
    const other = await on.port(network, { fixed_ips: [{ ip_address: '10.0.0.200' }] });
    await on.changeFloating(made, { port_id: other.id });
    await soon(() => natOf(made)[0]?.[1]).toBe('10.0.0.200');
    await bed.call('PUT', `/v2.0/ports/${other.id}`, { port: { fixed_ips: [{ ip_address: '10.0.0.201' }] } });
    expect(await on.showFloating(made)).toMatchObject({ port_id: null });
    await soon(() => natOf(made)).toEqual([]);
  });

  it('are translated on the node of the port where that reaches the outside, and say whether they work', async () => {
    const port = await on.port(network);
    const made = await make({ port_id: port.id });
    const place = (host: string) =>
      bed.call('PUT', `/v2.0/ports/${port.id}`, { port: { 'binding:host_id': host } }, ADMIN);
    await place('node-1');
    await soon(() => natOf(made)[0]?.[3]).toBe(port.id);
    // Whether the guest runs has nothing to do with it.
    await soon(async () => (await on.showFloating(made))['status']).toBe('ACTIVE');
    await place('node-333');
    await soon(() => natOf(made)[0]?.[3]).toEqual(NONE);
    await soon(async () => (await on.showFloating(made))['status']).toBe('DOWN');
    const [gateway] = (
      await bed.call('GET', `/v2.0/ports?device_id=${router.id}&device_owner=network:router_gateway`, undefined, ADMIN)
    ).body['ports'] as Row[];
    bed.ovn.tool('ovn-sbctl', '--may-exist', 'lsp-bind', `cr-lrp-${gateway!.id}`, 'node-1');
    await soon(async () => (await on.showFloating(made))['status']).toBe('ACTIVE');
    const active = (await bed.call('GET', '/v2.0/floatingips?status=ACTIVE')).body['floatingips'] as Row[];
    expect(active.map((row) => row.id)).toEqual([made.id]);
    const central = one(await on.changeRouter(router, { distributed: false }, ADMIN), 'router');
    expect(central['distributed']).toBe(false);
    await place('node-1');
    await soon(() => natOf(made)[0]?.[3]).toEqual(NONE);
    await on.changeRouter(router, { distributed: true }, ADMIN);
    await soon(() => natOf(made)[0]?.[3]).toBe(port.id);
  });

  it('are translated by the gateway for ports on a VLAN, which meets the router there alone', async () => {
    const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'public' };
    const tagged = await on.network({ ...vlan, 'provider:segmentation_id': 77 }, ADMIN);
    const mine = await on.router({ external_gateway_info: { network_id: out.network.id } }, ADMIN);
    await on.add(mine, { subnet_id: (await on.subnet(tagged, '10.9.0.0/24', {}, ADMIN)).id }, ADMIN);
    const port = await on.port(tagged, { 'binding:host_id': 'node-1' }, ADMIN);
    const made = await make({ port_id: port.id }, ADMIN);
    await soon(() => natOf(made)).toEqual([[made['floating_ip_address'], expect.any(String), NONE, NONE]]);
  });

  it('hold the router, its gateway and its leg where they are', async () => {
    const inner = await on.network();
    const own = await on.subnet(inner, '10.7.0.0/24');
    const mine = await on.router({ external_gateway_info: { network_id: out.network.id } });
    await on.add(mine, { subnet_id: own.id });
    const port = await on.port(inner);
    const made = await make({ port_id: port.id });
    expect(made['router_id']).toBe(mine.id);
    expect(fault(await on.remove(mine, { subnet_id: own.id }))).toEqual({
      status: 409,
      type: 'RouterInterfaceInUseByFloatingIP',
    });
    expect(fault(await on.changeRouter(mine, { external_gateway_info: {} }))).toEqual({
      status: 409,
      type: 'RouterExternalGatewayInUseByFloatingIp',
    });
    expect((await on.delete('floatingips', made)).status).toBe(204);
    expect((await on.remove(mine, { subnet_id: own.id })).status).toBe(200);
    expect((await on.delete('routers', mine)).status).toBe(204);
  });

  it('move between routers', async () => {
    const inner = await on.network();
    const own = await on.subnet(inner, '10.8.0.0/24');
    const other = await on.router({ external_gateway_info: { network_id: out.network.id } });
    await on.add(other, { subnet_id: own.id });
    const made = await make({ port_id: (await on.port(network)).id });
    const nats = (of: Row) => on.belongings(of, 'NAT', ['external_ip', 'type']).filter((line) => line.includes('dnat'));
    const line = `${String(made['floating_ip_address'])} dnat_and_snat`;
    await soon(() => nats(router)).toContain(line);
    await on.changeFloating(made, { port_id: (await on.port(inner)).id });
    await soon(() => nats(other)).toEqual([line]);
    expect(nats(router)).not.toContain(line);
    const held = on.rows('Logical_Router', ['nat'], `name=router_${router.id}`);
    expect(JSON.stringify(held)).not.toContain(made.id);
  });

  it('are refused where they make no sense', async () => {
    const bad = { status: 400, type: 'BadRequest' };
    const attempt = async (body: object, as = {}) =>
      fault(await on.floating({ floating_network_id: out.network.id, ...body }, as));
    expect(await attempt({ floating_network_id: network.id })).toEqual(bad);
    expect(await attempt({ floating_network_id: randomUUID() })).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(await attempt({ floating_ip_address: '203.0.113.50' })).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    expect(await attempt({ floating_ip_address: '198.51.100.1' }, ADMIN)).toEqual({
      status: 400,
      type: 'InvalidIpForNetwork',
    });
    expect(await attempt({ subnet_id: subnet.id })).toEqual(bad);
    expect(await attempt({ fixed_ip_address: '10.0.0.9' })).toEqual(bad);
    expect(await attempt({ port_id: randomUUID() })).toEqual({ status: 404, type: 'PortNotFound' });
    expect(await attempt({ nonsense: 1 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    const port = await on.port(network);
    expect(await attempt({ port_id: port.id }, OTHER)).toEqual({ status: 404, type: 'PortNotFound' });
    expect(await attempt({ port_id: port.id, fixed_ip_address: '10.0.0.99' })).toEqual(bad);
    const bare = await on.port(network, { fixed_ips: [] });
    expect(await attempt({ port_id: bare.id })).toEqual(bad);
    const double = await on.port(network, { fixed_ips: [{ subnet_id: subnet.id }, { subnet_id: subnet.id }] });
    expect(await attempt({ port_id: double.id })).toEqual(bad);
    const chosen = (double['fixed_ips'] as { ip_address: string }[])[1]!.ip_address;
    const made = await make({ port_id: double.id, fixed_ip_address: chosen });
    expect(made['fixed_ip_address']).toBe(chosen);
    expect(await attempt({ port_id: double.id, fixed_ip_address: chosen })).toEqual({
      status: 409,
      type: 'FloatingIPPortAlreadyAssociated',
    });
    const island = await on.network();
    await on.subnet(island, '10.9.0.0/24');
    expect(await attempt({ port_id: (await on.port(island)).id })).toEqual({
      status: 404,
      type: 'ExternalGatewayForFloatingIPNotFound',
    });
    const exact = await make({ floating_ip_address: '203.0.113.50', project_id: 'p1' }, ADMIN);
    expect(await attempt({ floating_ip_address: '203.0.113.50' }, ADMIN)).toEqual({
      status: 409,
      type: 'IpAddressAlreadyAllocated',
    });
    expect(fault(await on.changeFloating(exact, { fixed_ip_address: '10.0.0.9' }))).toEqual(bad);
    expect(fault(await bed.call('GET', `/v2.0/floatingips/${exact.id}`, undefined, OTHER)).status).toBe(404);
    expect((await on.delete('floatingips', exact, OTHER)).status).toBe(404);
    const six = await on.network({ 'router:external': true }, ADMIN);
    await on.subnet(six, 'fd00::/64', {}, ADMIN);
    expect(await attempt({ floating_network_id: six.id })).toEqual(bad);
  });

  it('come from pools, and the last one goes to one of many', async () => {
    const tight = await on.outside(
      '198.51.100.0/28',
      {},
      { allocation_pools: [{ start: '198.51.100.9', end: '198.51.100.9' }] },
    );
    const pools = (await bed.call('GET', `/v2.0/floatingip_pools?network_id=${tight.network.id}`)).body[
      'floatingip_pools'
    ];
    expect(pools).toEqual([
      {
        subnet_id: tight.subnet.id,
        subnet_name: '',
        tenant_id: 'p1',
        project_id: 'p1',
        network_id: tight.network.id,
        cidr: '198.51.100.0/28',
      },
    ]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => on.floating({ floating_network_id: tight.network.id })),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    const refused = new Set(
      answers.filter((answer) => answer.status !== 201).map((answer) => JSON.stringify(fault(answer))),
    );
    expect(refused).toEqual(new Set([JSON.stringify({ status: 400, type: 'ExternalIpAddressExhausted' })]));
    expect((await on.delete('networks', tight.network, ADMIN)).status).toBe(204);
    expect((await bed.call('GET', '/v2.0/floatingips?floating_ip_address=198.51.100.9')).body['floatingips']).toEqual(
      [],
    );
  });

  it('never stand twice for one address, and never beyond the quota, however many ask at once', async () => {
    const port = await on.port(network);
    const free = [];
    for (let i = 0; i < 8; i++) free.push(await make());
    const answers = await Promise.all(free.map((each) => on.changeFloating(each, { port_id: port.id })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    const limited = { project: 'tiny' };
    await bed.call('PUT', '/v2.0/quotas/tiny', { quota: { floatingip: 3 } }, ADMIN);
    const more = await Promise.all(
      Array.from({ length: 10 }, () => on.floating({ floating_network_id: out.network.id }, limited)),
    );
    expect(more.filter((answer) => answer.status === 201)).toHaveLength(3);
    expect(fault(more.find((answer) => answer.status !== 201)!)).toEqual({ status: 409, type: 'OverQuota' });
  });

  it('and ports, legs and gateways that go at once never leave one hanging', async () => {
    for (let round = 0; round < 5; round++) {
      const port = await on.port(network);
      const made = await make();
      await Promise.all([on.changeFloating(made, { port_id: port.id }), on.delete('ports', port)]);
      const after = await on.showFloating(made);
      expect(after).toMatchObject({ port_id: null, router_id: null });
    }
    const inner = await on.network();
    const own = await on.subnet(inner, '10.10.0.0/24');
    const mine = await on.router({ external_gateway_info: { network_id: out.network.id } });
    const port = await on.port(inner);
    for (let round = 0; round < 5; round++) {
      await on.add(mine, { subnet_id: own.id });
      const made = await make();
      const [associated, removed] = await Promise.all([
        on.changeFloating(made, { port_id: port.id }),
        on.remove(mine, { subnet_id: own.id }),
      ]);
      expect([associated.status, removed.status]).toSatisfy(
        ([a, r]: number[]) => (a === 200 && r === 409) || (a === 404 && r === 200),
      );
      await on.delete('floatingips', made);
      await on.remove(mine, { subnet_id: own.id });
    }
  });
});
