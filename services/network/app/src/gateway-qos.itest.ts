import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, fault, type Outside, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
let outside: Outside;

beforeAll(async () => {
  bed = await testbed();
  on = new Routing(bed);
  outside = await on.outside('203.0.113.0/24');
});
afterAll(() => bed.close());

const info = (more: object = {}, network = outside.network) => ({
  external_gateway_info: { network_id: network.id, ...more },
});
const policyOf = (router: Row) => (router['external_gateway_info'] as Row | null)?.['qos_policy_id'];
const change = async (router: Row, body: object): Promise<Row> => one(await on.changeRouter(router, body), 'router');
/** What OVN has of a router's gateway: direction, rate and switch. */
const inOvn = (router: Row): string[] => {
  const owner = `external_ids:"yagura:owner"=${router.id}`;
  const switches = on.rows('Logical_Switch', ['name', 'qos_rules']);
  return on
    .rows('QoS', ['_uuid', 'direction', 'bandwidth'], owner)
    .map(([uuid, direction, bandwidth]) => {
      const id = String((uuid as unknown[])[1]);
      const [holder] = switches.find(([, rules]) => JSON.stringify(rules).includes(id)) ?? [];
      const rate = new Map((bandwidth as [string, [string, number][]])[1]).get('rate');
      return `${direction} ${rate} ${holder}`;
    })
    .sort();
};

it('limits what goes through the gateway of a router, while it has one', async () => {
  const policy = await on.policy();
  const rule = await on.limit(policy, 5000);
  await on.limit(policy, 6000, 'ingress');
  const router = await on.router(info({ qos_policy_id: policy.id }));
  expect(policyOf(router)).toBe(policy.id);
  const at = `net_${outside.network.id}`;
  await soon(() => inOvn(router)).toEqual([`from-lport 5000 ${at}`, `to-lport 6000 ${at}`]);
  const path = `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules/${rule.id}`;
  await bed.call('PUT', path, { bandwidth_limit_rule: { max_kbps: 7000 } }, ADMIN);
  await soon(() => inOvn(router)).toEqual([`from-lport 7000 ${at}`, `to-lport 6000 ${at}`]);

  // Who says nothing of the policy leaves it as it is, where the gateway stays.
  expect(policyOf(await change(router, info()))).toBe(policy.id);
  const removal = await bed.call('DELETE', `/v2.0/qos/policies/${policy.id}`, undefined, ADMIN);
  expect(fault(removal)).toEqual({ status: 409, type: 'QosPolicyInUse' });
  const other = await on.outside('198.51.100.0/24');
  expect(policyOf(await change(router, info({}, other.network)))).toBeNull();
  await soon(() => inOvn(router)).toEqual([]);
  expect(policyOf(await change(router, info({ qos_policy_id: policy.id }, other.network)))).toBe(policy.id);
  await soon(() => inOvn(router).length).toBe(2);
  expect(policyOf(await change(router, info({ qos_policy_id: policy.id })))).toBe(policy.id);
  await soon(() => inOvn(router)).toEqual([`from-lport 7000 ${at}`, `to-lport 6000 ${at}`]);
  expect(policyOf(await change(router, info({ qos_policy_id: null })))).toBeNull();
  await soon(() => inOvn(router)).toEqual([]);

  await change(router, info({ qos_policy_id: policy.id }));
  await soon(() => inOvn(router).length).toBe(2);
  expect(await change(router, { external_gateway_info: null })).toMatchObject({ external_gateway_info: null });
  await soon(() => inOvn(router)).toEqual([]);
  expect((await bed.call('DELETE', `/v2.0/qos/policies/${policy.id}`, undefined, ADMIN)).status).toBe(204);
});

it('takes the limit away with its router, and brings back what is lost', async () => {
  const policy = await on.policy();
  await on.limit(policy, 5000);
  const router = await on.router(info({ qos_policy_id: policy.id }));
  await soon(() => inOvn(router).length).toBe(1);
  await soon(async () => (await bed.service.books.dirty.pending(bed.service.db)).length).toBe(0);
  bed.ovn.tool('ovn-nbctl', 'clear', 'Logical_Switch', `net_${outside.network.id}`, 'qos_rules');
  await soon(() => inOvn(router).length).toBe(1);
  expect((await on.delete('routers', router)).status).toBe(204);
  await soon(() => inOvn(router)).toEqual([]);
});

it('refuses policies that the caller does not see, and leaves it those of an operator', async () => {
  const hidden = await on.policy({ shared: false, project_id: 'p9' });
  const missing = { status: 404, type: 'QosPolicyNotFound' };
  const router = await on.router(info());
  for (const qos_policy_id of [hidden.id, randomUUID(), 'x']) {
    expect(fault(await bed.call('POST', '/v2.0/routers', { router: info({ qos_policy_id }) }))).toEqual(missing);
    expect(fault(await on.changeRouter(router, info({ qos_policy_id })))).toEqual(missing);
  }
  one(await on.changeRouter(router, info({ qos_policy_id: hidden.id }), ADMIN), 'router');
  expect((await on.changeRouter(router, info({ qos_policy_id: null }))).status).toBe(403);
  expect(policyOf(await change(router, info()))).toBe(hidden.id);
});
