import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { readonly id: string };

let bed: Testbed;
beforeAll(async () => {
  bed = await testbed();
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const ADMIN = { roles: ['admin'] };
const OTHER = { project: 'p2' };
const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});
const makePolicy = async (body: object = {}) =>
  one(await bed.call('POST', '/v2.0/qos/policies', { policy: { name: 'q', ...body } }, ADMIN), 'policy');
const addLimit = async (policy: Row, rule: object) =>
  one(
    await bed.call(
      'POST',
      `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules`,
      { bandwidth_limit_rule: rule },
      ADMIN,
    ),
    'bandwidth_limit_rule',
  );
const makeNetwork = async (body: object = {}, as: object = {}) =>
  one(await bed.call('POST', '/v2.0/networks', { network: body }, as), 'network');
const makePort = async (network: Row, body: object = {}, as: object = {}) =>
  one(await bed.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...body } }, as), 'port');

/** What OVN has of a port, such as `from-lport rate=5 dscp=26`; in order. */
function inOvn(port: Row): string[] {
  const columns = '--columns=direction,bandwidth,action';
  const rows = JSON.parse(bed.ovn.tool('ovn-nbctl', '--format=json', '--data=json', columns, 'list', 'QoS')) as {
    data: readonly (readonly [string, readonly unknown[], readonly unknown[]])[];
  };
  const all = JSON.parse(bed.ovn.tool('ovn-nbctl', '--format=json', '--columns=match', 'list', 'QoS')) as {
    data: readonly (readonly [string])[];
  };
  const entries = (map: readonly unknown[]): string[] =>
    (map[1] as [string, number][]).map(([key, value]) => `${key}=${value}`).sort();
  return rows.data
    .filter((_, at) => all.data[at]?.[0].includes(port.id))
    .map(([direction, bandwidth, action]) => [direction, ...entries(bandwidth), ...entries(action)].join(' '))
    .sort();
}
const untilInOvn = (port: Row, wanted: readonly string[]) =>
  expect.poll(() => inOvn(port), { timeout: 10_000, interval: 50 }).toEqual([...wanted].sort());

describe('QoS policies', () => {
  it('are made, shown, changed and deleted by administrators', async () => {
    const made = await makePolicy({ name: 'gold', description: 'd' });
    expect(made).toMatchObject({ name: 'gold', shared: false, is_default: false, rules: [], revision_number: 1 });
    const path = `/v2.0/qos/policies/${made.id}`;
    const changed = one(await bed.call('PUT', path, { policy: { name: 'silver' } }, ADMIN), 'policy');
    expect(changed).toMatchObject({ name: 'silver', description: 'd', revision_number: 2 });
    const listed = await bed.call('GET', '/v2.0/qos/policies?name=silver', undefined, ADMIN);
    expect(listed.body['policies']).toEqual([changed]);
    expect((await bed.call('DELETE', path, undefined, ADMIN)).status).toBe(204);
    expect(fault(await bed.call('GET', path, undefined, ADMIN))).toEqual({ status: 404, type: 'QosPolicyNotFound' });
  });

  it('are only used by tenants, and seen by those they are shared with', async () => {
    expect((await bed.call('POST', '/v2.0/qos/policies', { policy: {} })).status).toBe(403);
    const own = await makePolicy();
    const path = `/v2.0/qos/policies/${own.id}`;
    expect((await bed.call('GET', path)).status).toBe(200);
    expect((await bed.call('PUT', path, { policy: { name: 'x' } })).status).toBe(403);
    expect((await bed.call('DELETE', path)).status).toBe(403);
    expect(fault(await bed.call('GET', path, undefined, OTHER))).toEqual({ status: 404, type: 'QosPolicyNotFound' });
    expect((await bed.call('PUT', path, { policy: {} }, OTHER)).status).toBe(404);
    one(await bed.call('PUT', path, { policy: { shared: true } }, ADMIN), 'policy');
    expect(one(await bed.call('GET', path, undefined, OTHER), 'policy')).toMatchObject({ shared: true });
    expect((await bed.call('DELETE', path, undefined, OTHER)).status).toBe(403);
  });

  it('have one default for each project, which its new networks get', async () => {
    const project_id = 'defaulted';
    const fallback = await makePolicy({ project_id, is_default: true });
    const second = { policy: { project_id, is_default: true } };
    expect(fault(await bed.call('POST', '/v2.0/qos/policies', second, ADMIN))).toEqual({
      status: 409,
      type: 'QoSPolicyDefaultAlreadyExists',
    });
    const other = await makePolicy({ project_id });
    const update = await bed.call('PUT', `/v2.0/qos/policies/${other.id}`, { policy: { is_default: true } }, ADMIN);
    expect(fault(update)).toEqual({ status: 409, type: 'QoSPolicyDefaultAlreadyExists' });
    const as = { project: project_id };
    expect((await makeNetwork({}, as))['qos_policy_id']).toBe(fallback.id);
    expect((await makeNetwork({ qos_policy_id: other.id }, as))['qos_policy_id']).toBe(other.id);
    one(await bed.call('PUT', `/v2.0/qos/policies/${fallback.id}`, { policy: { is_default: false } }, ADMIN), 'policy');
    expect((await makeNetwork({}, as))['qos_policy_id']).toBeNull();
  });

  it('refuse input that makes no sense', async () => {
    const post = async (policy: object) => fault(await bed.call('POST', '/v2.0/qos/policies', { policy }, ADMIN));
    for (const bad of [{ name: 'x'.repeat(256) }, { name: 'a\0' }, { shared: 'maybe' }, { rules: [] }, { nonsense: 1 }])
      expect(await post(bad)).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(fault(await bed.call('GET', '/v2.0/qos/policies/nonsense'))).toEqual({
      status: 404,
      type: 'QosPolicyNotFound',
    });
    expect((await bed.call('GET', '/v2.0/qos/policies?nonsense=1')).status).toBe(400);
  });
});

describe('QoS rules', () => {
  it('are made, listed, changed and deleted beneath their policy', async () => {
    const policy = await makePolicy();
    const path = `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules`;
    const made = await addLimit(policy, { max_kbps: '200' });
    expect(made).toEqual({ id: made.id, max_kbps: 200, max_burst_kbps: 0, direction: 'egress' });
    const other = await addLimit(policy, { max_kbps: 300, max_burst_kbps: 30, direction: 'ingress' });
    expect((await bed.call('GET', `${path}?direction=ingress`)).body).toEqual({ bandwidth_limit_rules: [other] });
    expect((await bed.call('GET', `${path}?sort_key=max_kbps&sort_dir=desc&limit=1`)).body).toMatchObject({
      bandwidth_limit_rules: [other],
      bandwidth_limit_rules_links: [{ rel: 'next' }],
    });
    const shown = one(await bed.call('GET', `/v2.0/qos/policies/${policy.id}`), 'policy');
    expect(shown['rules']).toEqual([
      { ...made, qos_policy_id: policy.id, type: 'bandwidth_limit' },
      { ...other, qos_policy_id: policy.id, type: 'bandwidth_limit' },
    ]);
    const put = { bandwidth_limit_rule: { max_burst_kbps: 7 } };
    expect((await bed.call('PUT', `${path}/${made.id}`, put, ADMIN)).body).toEqual({
      bandwidth_limit_rule: { ...made, max_burst_kbps: 7 },
    });
    expect((await bed.call('DELETE', `${path}/${made.id}`, undefined, ADMIN)).status).toBe(204);
    expect(fault(await bed.call('GET', `${path}/${made.id}`))).toEqual({ status: 404, type: 'QosRuleNotFound' });
    expect(one(await bed.call('GET', `/v2.0/qos/policies/${policy.id}`), 'policy')['revision_number']).toBe(5);
  });

  it('are found by their id alone', async () => {
    const policy = await makePolicy();
    const made = await addLimit(policy, { max_kbps: 200 });
    const path = `/v2.0/qos/alias-bandwidth-limit-rules/${made.id}`;
    expect((await bed.call('GET', path)).body).toEqual({ alias_bandwidth_limit_rule: made });
    const put = { alias_bandwidth_limit_rule: { direction: 'ingress' } };
    expect((await bed.call('PUT', path, put, ADMIN)).body).toEqual({
      alias_bandwidth_limit_rule: { ...made, direction: 'ingress' },
    });
    expect((await bed.call('PUT', path, put)).status).toBe(403);
    expect((await bed.call('GET', path, undefined, OTHER)).status).toBe(404);
    expect((await bed.call('GET', `/v2.0/qos/alias-dscp-marking-rules/${made.id}`)).status).toBe(404);
    expect((await bed.call('DELETE', path, undefined, ADMIN)).status).toBe(204);
    expect(fault(await bed.call('DELETE', path, undefined, ADMIN))).toEqual({ status: 404, type: 'QosRuleNotFound' });
  });

  it('refuse what does not go together or makes no sense', async () => {
    const policy = await makePolicy();
    const post = async (type: string, rule: object, as: object = ADMIN, id = policy.id) =>
      fault(await bed.call('POST', `/v2.0/qos/policies/${id}/${type}_rules`, { [`${type}_rule`]: rule }, as));
    await addLimit(policy, { max_kbps: 200 });
    expect(await post('bandwidth_limit', { max_kbps: 1 })).toEqual({ status: 409, type: 'QoSRulesConflict' });
    expect(await post('minimum_bandwidth', { min_kbps: 201 })).toEqual({
      status: 409,
      type: 'QoSRuleParameterConflict',
    });
    const bad = { status: 400, type: 'HTTPBadRequest' };
    for (const dscp_mark of [58, 2, -1, 'x', null]) expect(await post('dscp_marking', { dscp_mark })).toEqual(bad);
    expect(await post('minimum_bandwidth', { direction: 'egress' })).toEqual(bad);
    expect(await post('bandwidth_limit', { max_kbps: 2 ** 31, direction: 'ingress' })).toEqual(bad);
    expect(await post('bandwidth_limit', { max_kbps: 1, direction: 'any' })).toEqual(bad);
    expect((await post('packet_rate_limit', { max_kpps: 1 })).status).toBe(404);
    expect(await post('dscp_marking', { dscp_mark: 26 }, ADMIN, randomUUID())).toEqual({
      status: 404,
      type: 'QosPolicyNotFound',
    });
    expect((await post('dscp_marking', { dscp_mark: 26 }, {})).status).toBe(403);
    expect((await post('dscp_marking', { dscp_mark: 26 }, OTHER)).status).toBe(403);
  });

  it('of one kind are made once by two at once', async () => {
    const policy = await makePolicy();
    const path = `/v2.0/qos/policies/${policy.id}/dscp_marking_rules`;
    const post = () => bed.call('POST', path, { dscp_marking_rule: { dscp_mark: 26 } }, ADMIN);
    const answers = await Promise.all([post(), post(), post()]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
  });

  it('come in types, of which only the enforced are listed, with details for administrators', async () => {
    const types = async (query: string) => (await bed.call('GET', `/v2.0/qos/rule-types${query}`)).body['rule_types'];
    expect(await types('')).toEqual([{ type: 'bandwidth_limit' }, { type: 'dscp_marking' }]);
    expect(await types('?all_supported=true')).toEqual([{ type: 'bandwidth_limit' }, { type: 'dscp_marking' }]);
    expect(await types('?all_rules=true')).toContainEqual({ type: 'minimum_bandwidth' });
    const path = '/v2.0/qos/rule-types/dscp_marking';
    expect((await bed.call('GET', path)).status).toBe(403);
    const shown = one(await bed.call('GET', path, undefined, ADMIN), 'rule_type');
    expect(shown['drivers']).toMatchObject([{ name: 'ovn', supported_parameters: [{ parameter_name: 'dscp_mark' }] }]);
    expect((await bed.call('GET', '/v2.0/qos/rule-types/x', undefined, ADMIN)).status).toBe(404);
  });
});

describe('what a policy is attached to', () => {
  it('can be any port or network of those who see it', async () => {
    const foreign = await makePolicy({ project_id: 'p9' });
    const network = await makeNetwork();
    const missing = { status: 404, type: 'QosPolicyNotFound' };
    for (const id of [foreign.id, randomUUID(), 'nonsense']) {
      const port = { port: { network_id: network.id, qos_policy_id: id } };
      expect(fault(await bed.call('POST', '/v2.0/ports', port))).toEqual(missing);
      expect(fault(await bed.call('POST', '/v2.0/networks', { network: { qos_policy_id: id } }))).toEqual(missing);
      const put = { network: { qos_policy_id: id } };
      expect(fault(await bed.call('PUT', `/v2.0/networks/${network.id}`, put))).toEqual(missing);
    }
    const own = await makePolicy();
    const port = await makePort(network, { qos_policy_id: own.id });
    expect(port).toMatchObject({ qos_policy_id: own.id, qos_network_policy_id: null });
    const put = { network: { qos_policy_id: own.id } };
    expect(one(await bed.call('PUT', `/v2.0/networks/${network.id}`, put), 'network')['qos_policy_id']).toBe(own.id);
    expect(one(await bed.call('GET', `/v2.0/ports/${port.id}`), 'port')['qos_network_policy_id']).toBe(own.id);
    const listed = await bed.call('GET', `/v2.0/ports?qos_policy_id=${own.id}`);
    expect((listed.body['ports'] as Row[]).map(({ id }) => id)).toEqual([port.id]);
  });

  it('that an administrator attached is not the tenant’s to take away', async () => {
    const hidden = await makePolicy({ project_id: 'p9' });
    const network = await makeNetwork();
    const path = `/v2.0/networks/${network.id}`;
    one(await bed.call('PUT', path, { network: { qos_policy_id: hidden.id } }, ADMIN), 'network');
    const off = { network: { qos_policy_id: null } };
    expect(fault(await bed.call('PUT', path, off))).toEqual({ status: 403, type: 'PolicyRemoveAuthorizationError' });
    expect((await makePort(network))['qos_network_policy_id']).toBe(hidden.id);
    one(await bed.call('PUT', `/v2.0/qos/policies/${hidden.id}`, { policy: { shared: true } }, ADMIN), 'policy');
    expect(one(await bed.call('PUT', path, off), 'network')['qos_policy_id']).toBeNull();
  });

  it('keeps the policy from being deleted or taken back', async () => {
    const policy = await makePolicy({ shared: true });
    const path = `/v2.0/qos/policies/${policy.id}`;
    const network = await makeNetwork({ qos_policy_id: policy.id }, OTHER);
    const removal = await bed.call('DELETE', path, undefined, ADMIN);
    expect(fault(removal)).toEqual({ status: 409, type: 'QosPolicyInUse' });
    expect(JSON.stringify(removal.body)).toContain(`network ${network.id}`);
    const closing = await bed.call('PUT', path, { policy: { shared: false, name: 'x' } }, ADMIN);
    expect(fault(closing)).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    expect(one(await bed.call('GET', path), 'policy')).toMatchObject({ shared: true, name: 'q' });
    await bed.call('DELETE', `/v2.0/networks/${network.id}`, undefined, OTHER);
    expect((await bed.call('PUT', path, { policy: { shared: false } }, ADMIN)).status).toBe(200);
    expect((await bed.call('DELETE', path, undefined, ADMIN)).status).toBe(204);
  });

  it('and a deletion at the same moment never leave a port with a policy that is gone', async () => {
    const network = await makeNetwork();
    for (let round = 0; round < 10; round++) {
      const policy = await makePolicy();
      const port = { port: { network_id: network.id, qos_policy_id: policy.id } };
      const [attached, removed] = await Promise.all([
        bed.call('POST', '/v2.0/ports', port),
        bed.call('DELETE', `/v2.0/qos/policies/${policy.id}`, undefined, ADMIN),
      ]);
      const outcome = [fault(attached), fault(removed)];
      const won = attached.status === 201;
      expect(outcome).toEqual(
        won
          ? [expect.objectContaining({ status: 201 }), { status: 409, type: 'QosPolicyInUse' }]
          : [{ status: 404, type: 'QosPolicyNotFound' }, expect.objectContaining({ status: 204 })],
      );
    }
  });
});

describe('OVN', () => {
  it('limits and marks what the rules say, as they change', async () => {
    const policy = await makePolicy();
    const network = await makeNetwork();
    const port = await makePort(network, { qos_policy_id: policy.id });
    const bystander = await makePort(network);
    const limit = await addLimit(policy, { max_kbps: 3000, max_burst_kbps: 2400 });
    await addLimit(policy, { max_kbps: 5000, direction: 'ingress' });
    const mark = { dscp_marking_rule: { dscp_mark: 26 } };
    await bed.call('POST', `/v2.0/qos/policies/${policy.id}/dscp_marking_rules`, mark, ADMIN);
    await untilInOvn(port, ['from-lport burst=2400 rate=3000 dscp=26', 'to-lport rate=5000']);
    expect(inOvn(bystander)).toEqual([]);
    const path = `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules/${limit.id}`;
    await bed.call('PUT', path, { bandwidth_limit_rule: { max_kbps: 4000 } }, ADMIN);
    await untilInOvn(port, ['from-lport burst=2400 rate=4000 dscp=26', 'to-lport rate=5000']);
    await bed.call('DELETE', path, undefined, ADMIN);
    await untilInOvn(port, ['from-lport dscp=26', 'to-lport rate=5000']);
    await bed.call('PUT', `/v2.0/ports/${port.id}`, { port: { qos_policy_id: null } });
    await untilInOvn(port, []);
  });

  it('holds ports without a policy of their own to that of their network, and spares the cloud’s own', async () => {
    const wide = await makePolicy();
    const narrow = await makePolicy();
    await addLimit(wide, { max_kbps: 9000 });
    await addLimit(narrow, { max_kbps: 1000 });
    const network = await makeNetwork({ qos_policy_id: wide.id });
    const plain = await makePort(network);
    const special = await makePort(network, { qos_policy_id: narrow.id });
    const dhcp = await makePort(network, { device_owner: 'network:dhcp' }, ADMIN);
    await untilInOvn(plain, ['from-lport rate=9000']);
    await untilInOvn(special, ['from-lport rate=1000']);
    expect(inOvn(dhcp)).toEqual([]);
    await bed.call('PUT', `/v2.0/networks/${network.id}`, { network: { qos_policy_id: narrow.id } });
    await untilInOvn(plain, ['from-lport rate=1000']);
    await bed.call('DELETE', `/v2.0/ports/${plain.id}`);
    await untilInOvn(plain, []);
    await bed.call('PUT', `/v2.0/networks/${network.id}`, { network: { qos_policy_id: null } });
    await untilInOvn(special, ['from-lport rate=1000']);
  });

  it('gets back what was taken from it', async () => {
    const policy = await makePolicy();
    await addLimit(policy, { max_kbps: 7000, direction: 'ingress' });
    const network = await makeNetwork();
    const port = await makePort(network, { qos_policy_id: policy.id });
    await untilInOvn(port, ['to-lport rate=7000']);
    const settled = () =>
      expect.poll(async () => (await bed.service.books.dirty.pending(bed.service.db)).length).toBe(0);
    await settled();
    bed.ovn.tool('ovn-nbctl', 'qos-del', `net_${network.id}`);
    await untilInOvn(port, ['to-lport rate=7000']);
    await settled();
    const [row] = bed.ovn
      .tool('ovn-nbctl', '--bare', '--columns=_uuid', 'find', 'QoS', 'bandwidth:rate=7000')
      .split('\n');
    bed.ovn.tool('ovn-nbctl', 'set', 'QoS', row!, 'bandwidth:rate=1');
    await untilInOvn(port, ['to-lport rate=7000']);
    const path = `/v2.0/ports/${port.id}`;
    expect((await bed.call('DELETE', path)).status).toBe(204);
    await untilInOvn(port, []);
  });
});
