import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, type As, fault, type Outside, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
let out: Outside;
let network: Row;
let subnet: Row;
let router: Row;
beforeAll(async () => {
  bed = await testbed();
  on = new Routing(bed);
  on.node('node-1', []);
  out = await on.outside('203.0.113.0/24');
  network = await on.network();
  subnet = await on.subnet(network, '10.0.0.0/24');
  router = await on.router({ external_gateway_info: { network_id: out.network.id } });
  await on.add(router, { subnet_id: subnet.id });
});
afterAll(async () => {
  await bed.close();
});

const makeFloating = async () => one(await on.floating({ floating_network_id: out.network.id }), 'floatingip');
const path = (floating: Row, id = '') => `/v2.0/floatingips/${floating.id}/port_forwardings${id && `/${id}`}`;
const forward = (floating: Row, port: Row, body: object, as: As = {}) =>
  bed.call('POST', path(floating), { port_forwarding: { protocol: 'tcp', internal_port_id: port.id, ...body } }, as);
const addressOf = (port: Row) => (port['fixed_ips'] as { ip_address: string }[])[0]!.ip_address;
const balancers = () => on.belongings(router, 'Load_Balancer', ['protocol', 'vips']);

describe('port forwardings', () => {
  it('are made, shown, changed and deleted, and are in OVN', async () => {
    const [first, second] = [await on.port(network), await on.port(network)];
    const floating = await makeFloating();
    const ip = String(floating['floating_ip_address']);
    const made = one(
      await forward(floating, first, { internal_port: 22, external_port: 2222, description: 'ssh' }),
      'port_forwarding',
    );
    expect(made).toEqual({
      id: made.id,
      protocol: 'tcp',
      internal_port_id: first.id,
      internal_ip_address: addressOf(first),
      internal_port: 22,
      internal_port_range: '22:22',
      external_port: 2222,
      external_port_range: '2222:2222',
      description: 'ssh',
    });
    expect(one(await bed.call('GET', path(floating, made.id)), 'port_forwarding')).toEqual(made);
    await soon(balancers).toEqual([`tcp ${ip}:2222=${addressOf(first)}:22`]);
    const shown = await on.showFloating(floating);
    expect(shown).toMatchObject({ router_id: router.id, port_id: null, port_forwardings: [made] });

    const change = { port_forwarding: { internal_port_id: second.id, protocol: 'UDP' } };
    const changed = one(await bed.call('PUT', path(floating, made.id), change), 'port_forwarding');
    expect(changed).toMatchObject({ protocol: 'udp', internal_ip_address: addressOf(second), internal_port: 22 });
    await soon(balancers).toEqual([`udp ${ip}:2222=${addressOf(second)}:22`]);
    const range = { protocol: 'udp', internal_port_range: '80:81', external_port_range: '8080:8081' };
    const more = one(await forward(floating, first, range), 'port_forwarding');
    expect(more).toMatchObject({ external_port: null, external_port_range: '8080:8081' });
    await soon(balancers).toContain(`udp ${ip}:8080=${addressOf(first)}:80,${ip}:8081=${addressOf(first)}:81`);
    const listed = (await bed.call('GET', `${path(floating)}?external_port=8080&fields=id`)).body['port_forwardings'];
    expect(listed).toEqual([{ id: more.id }]);

    for (const { id } of [made, more]) expect((await bed.call('DELETE', path(floating, id))).status).toBe(204);
    expect(fault(await bed.call('GET', path(floating, made.id)))).toEqual({
      status: 404,
      type: 'PortForwardingNotFound',
    });
    await soon(balancers).toEqual([]);
    expect(await on.showFloating(floating)).toMatchObject({ router_id: null, port_forwardings: [] });
    expect((await on.delete('floatingips', floating)).status).toBe(204);
  });

  it('say that they work once the gateway is somewhere', async () => {
    const floating = await makeFloating();
    await forward(floating, await on.port(network), { internal_port: 22, external_port: 22 });
    expect((await on.showFloating(floating))['status']).toBe('DOWN');
    const [gateway] = (
      await bed.call('GET', `/v2.0/ports?device_id=${router.id}&device_owner=network:router_gateway`, undefined, ADMIN)
    ).body['ports'] as Row[];
    await soon(() => on.belongings(router, 'Gateway_Chassis', ['chassis_name'])).toEqual(['node-1']);
    bed.ovn.tool('ovn-sbctl', '--may-exist', 'lsp-bind', `cr-lrp-${gateway!.id}`, 'node-1');
    await soon(async () => (await on.showFloating(floating))['status']).toBe('ACTIVE');
    expect((await on.delete('floatingips', floating)).status).toBe(204);
    await soon(balancers).toEqual([]);
  });

  it('are refused where they make no sense', async () => {
    const floating = await makeFloating();
    const port = await on.port(network);
    const bad = { status: 400, type: 'BadRequest' };
    const attempt = async (body: object, to = port, as: As = {}) => fault(await forward(floating, to, body, as));
    const plain = { internal_port: 22, external_port: 22 };
    expect(await attempt({ internal_port: 22 })).toEqual(bad);
    expect(await attempt({ ...plain, external_port: 0 })).toEqual(bad);
    expect(await attempt({ ...plain, external_port_range: '1:2' })).toEqual(bad);
    expect(await attempt({ internal_port_range: '1:3', external_port_range: '1:2' })).toEqual(bad);
    expect((await attempt({ ...plain, protocol: 'icmp' })).status).toBe(400);
    expect(await attempt({ ...plain, internal_ip_address: '10.0.0.250' })).toEqual(bad);
    expect(await attempt({ ...plain, internal_port_id: randomUUID() })).toEqual({ status: 404, type: 'PortNotFound' });
    expect((await attempt(plain, port, { project: 'p2' })).status).toBe(404);
    const island = await on.network();
    await on.subnet(island, '10.9.0.0/24');
    expect(await attempt(plain, await on.port(island))).toEqual(bad);

    expect((await forward(floating, port, plain)).status).toBe(201);
    const other = await on.port(network);
    expect(await attempt(plain, other)).toEqual(bad);
    expect(await attempt({ internal_port: 22, external_port: 23 })).toEqual(bad);
    const overlapping = { internal_port_range: '20:30', external_port_range: '20:30' };
    expect(await attempt(overlapping, other)).toEqual(bad);
    expect(fault(await on.changeFloating(floating, { port_id: other.id }))).toEqual({
      status: 409,
      type: 'FipInUseByPortForwarding',
    });
    const second = await makeFloating();
    expect(fault(await on.changeFloating(second, { port_id: port.id }))).toEqual({
      status: 400,
      type: 'PortHasPortForwarding',
    });
    await on.changeFloating(second, { port_id: other.id });
    expect(await attempt({ internal_port: 80, external_port: 80 }, other)).toEqual({
      status: 409,
      type: 'PortHasBindingFloatingIP',
    });
    expect(fault(await on.remove(router, { subnet_id: subnet.id })).type).toBe('RouterInterfaceInUseByFloatingIP');
    expect(fault(await on.changeRouter(router, { external_gateway_info: {} })).type).toBe(
      'RouterExternalGatewayInUseByFloatingIp',
    );
    for (const each of [floating, second]) expect((await on.delete('floatingips', each)).status).toBe(204);
  });

  it('go with their port, and with the address that it has no more', async () => {
    const floating = await makeFloating();
    const port = await on.port(network, { fixed_ips: [{ ip_address: '10.0.0.100' }, { ip_address: '10.0.0.101' }] });
    const to = (address: string, external: number) =>
      forward(floating, port, { internal_ip_address: address, internal_port: 22, external_port: external });
    await to('10.0.0.100', 100);
    await to('10.0.0.101', 101);
    await soon(() => balancers().length).toBe(2);
    await bed.call('PUT', `/v2.0/ports/${port.id}`, { port: { fixed_ips: [{ ip_address: '10.0.0.101' }] } });
    await soon(() => balancers().length).toBe(1);
    expect((await on.delete('ports', port)).status).toBe(204);
    await soon(balancers).toEqual([]);
    expect(await on.showFloating(floating)).toMatchObject({ router_id: null, port_forwardings: [] });
  });

  it('never take a port twice, however many ask at once, and come back when OVN was lost', async () => {
    const floating = await makeFloating();
    const ports = await Promise.all(Array.from({ length: 8 }, () => on.port(network)));
    const answers = await Promise.all(
      ports.map((port) => forward(floating, port, { internal_port: 443, external_port: 443 })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 400, 400, 400, 400, 400, 400, 400]);
    await soon(() => balancers().length).toBe(1);
    const [line] = balancers();
    const id = one(answers.find((answer) => answer.status === 201)!, 'port_forwarding').id;
    bed.ovn.tool('ovn-nbctl', 'lb-del', `forward_${id}`);
    await soon(balancers).toEqual([line]);
    await bed.ovn.restartNb({ empty: true });
    await soon(balancers).toEqual([line]);
  });
});
