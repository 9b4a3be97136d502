import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, fault, type Outside, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
let outside: Outside;
let inside: Row;
let router: Row;

beforeAll(async () => {
  bed = await testbed({ physicalNetworks: [{ name: 'public' }] });
  on = new Routing(bed);
  for (const name of ['node-1', 'node-22']) on.node(name, ['public'], 'enable-chassis-as-gw');
  const carrier = { 'provider:network_type': 'flat', 'provider:physical_network': 'public' };
  outside = await on.outside('203.0.113.0/24', carrier);
  inside = await on.network();
  const subnet = await on.subnet(inside, '10.0.0.0/24');
  router = await on.router({ external_gateway_info: { network_id: outside.network.id } });
  one(await on.add(router, { subnet_id: subnet.id }), 'id');
});
afterAll(() => bed.close());

const makeFloating = async (body: object = {}): Promise<Row> =>
  one(await on.floating({ floating_network_id: outside.network.id, ...body }), 'floatingip');
const bound = (host: string) => on.port(inside, { project_id: 'p1', 'binding:host_id': host }, ADMIN);
const change = async (floating: Row, body: object): Promise<Row> =>
  one(await on.changeFloating(floating, body), 'floatingip');

/** What OVN has of a floating IP, by its address: direction, rate and the port whose node counts. */
const inOvn = (floating: Row): string[] =>
  on
    .rows('QoS', ['direction', 'bandwidth', 'match'])
    .filter(([, , match]) => String(match).includes(` == ${floating['floating_ip_address']} `))
    .map(([direction, bandwidth, match]) => {
      const [, entries] = bandwidth as [string, [string, number][]];
      const resident = /is_chassis_resident\("(.*)"\)/.exec(String(match))?.[1];
      return `${direction} ${new Map(entries).get('rate')} ${resident}`;
    })
    .sort();
const gateway = (): string => {
  const [[port]] = on.rows('Logical_Router_Port', ['name'], 'gateway_chassis!=[]') as [[string]];
  return `cr-${port}`;
};

describe('a floating IP', () => {
  it('has a policy of those that its project sees', async () => {
    const policy = await on.policy();
    const floating = await makeFloating({ qos_policy_id: policy.id });
    expect(floating).toMatchObject({ qos_policy_id: policy.id, qos_network_policy_id: null });
    expect(await change(floating, { qos_policy_id: null })).toMatchObject({ qos_policy_id: null });
    expect(await change(floating, { qos_policy_id: policy.id, description: 'd' })).toMatchObject({
      qos_policy_id: policy.id,
      description: 'd',
      revision_number: 3,
    });
    const hidden = await on.policy({ shared: false, project_id: 'p9' });
    const missing = { status: 404, type: 'QosPolicyNotFound' };
    for (const qos_policy_id of [hidden.id, randomUUID(), 'x']) {
      expect(fault(await on.floating({ floating_network_id: outside.network.id, qos_policy_id }))).toEqual(missing);
      expect(fault(await on.changeFloating(floating, { qos_policy_id }))).toEqual(missing);
    }
    const removal = await bed.call('DELETE', `/v2.0/qos/policies/${policy.id}`, undefined, ADMIN);
    expect(fault(removal)).toEqual({ status: 409, type: 'QosPolicyInUse' });
    expect((await on.delete('floatingips', floating)).status).toBe(204);
    expect((await bed.call('DELETE', `/v2.0/qos/policies/${policy.id}`, undefined, ADMIN)).status).toBe(204);
  });

  it('is limited where it is translated, both ways, while it stands for a port', async () => {
    const policy = await on.policy();
    const rule = await on.limit(policy, 5000);
    await on.limit(policy, 6000, 'ingress');
    const port = await bound('node-1');
    const floating = await makeFloating({ port_id: port.id, qos_policy_id: policy.id });
    await soon(() => inOvn(floating)).toEqual([`from-lport 5000 ${port.id}`, `to-lport 6000 ${port.id}`]);
    const path = `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules/${rule.id}`;
    await bed.call('PUT', path, { bandwidth_limit_rule: { max_kbps: 7000 } }, ADMIN);
    await soon(() => inOvn(floating)).toEqual([`from-lport 7000 ${port.id}`, `to-lport 6000 ${port.id}`]);
    const nowhere = await on.port(inside);
    await change(floating, { port_id: nowhere.id });
    await soon(() => inOvn(floating)).toEqual([`from-lport 7000 ${gateway()}`, `to-lport 6000 ${gateway()}`]);
    await change(floating, { port_id: null });
    await soon(() => inOvn(floating)).toEqual([]);
    await change(floating, { port_id: port.id });
    await soon(() => inOvn(floating).length).toBe(2);
    await change(floating, { qos_policy_id: null });
    await soon(() => inOvn(floating)).toEqual([]);
  });

  it('without a policy of its own has that of its network', async () => {
    const policy = await on.policy();
    await on.limit(policy, 9000);
    const port = await bound('node-1');
    const floating = await makeFloating({ port_id: port.id });
    const put = (qos_policy_id: string | null) =>
      bed.call('PUT', `/v2.0/networks/${outside.network.id}`, { network: { qos_policy_id } }, ADMIN);
    one(await put(policy.id), 'network');
    await soon(() => inOvn(floating)).toEqual([`from-lport 9000 ${port.id}`]);
    expect(await on.showFloating(floating)).toMatchObject({ qos_policy_id: null, qos_network_policy_id: policy.id });
    one(await put(null), 'network');
    await soon(() => inOvn(floating)).toEqual([]);
    expect((await on.delete('floatingips', floating)).status).toBe(204);
  });

  it('takes its limit with it when it goes', async () => {
    const policy = await on.policy();
    await on.limit(policy, 5000);
    const port = await bound('node-1');
    const floating = await makeFloating({ port_id: port.id, qos_policy_id: policy.id });
    await soon(() => inOvn(floating)).toEqual([`from-lport 5000 ${port.id}`]);
    await soon(async () => (await bed.service.books.dirty.pending(bed.service.db)).length).toBe(0);
    bed.ovn.tool('ovn-nbctl', 'clear', 'Logical_Switch', `net_${outside.network.id}`, 'qos_rules');
    await soon(() => inOvn(floating)).toEqual([`from-lport 5000 ${port.id}`]);
    expect((await on.delete('floatingips', floating)).status).toBe(204);
    await soon(() => inOvn(floating)).toEqual([]);
  });
});
