import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERYONE, type RbacObject } from '#services/network/domain';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { id: string };

let bed: Testbed;
beforeAll(async () => {
  bed = await testbed({
    quotas: { network: 10, subnet: 10, port: 50, security_group: 100, security_group_rule: 5000, rbac_policy: 100 },
  });
});
afterAll(async () => {
  const { books, db } = bed.service;
  const uneven = (await books.quotas.audit(db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const ADMIN = { roles: ['admin'] };
const OTHER_PROJECT = randomUUID();
const OTHER = { project: OTHER_PROJECT };
const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
const many = (answer: Answer, name: string): Row[] => one(answer, name) as unknown as Row[];
const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});
const get = (path: string, as = {}) => bed.call('GET', `/v2.0/${path}`, undefined, as);
const makeGroup = async (body: object = {}, as = {}) =>
  one(
    await bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'g', ...body } }, as),
    'security_group',
  );
const addRule = (groupId: string, body: object = {}, as = {}) =>
  bed.call(
    'POST',
    '/v2.0/security-group-rules',
    { security_group_rule: { security_group_id: groupId, direction: 'ingress', ...body } },
    as,
  );
const makeAddressGroup = async (body: object = {}, as = {}) =>
  one(await bed.call('POST', '/v2.0/address-groups', { address_group: { name: 'a', ...body } }, as), 'address_group');
const share = async (objectType: RbacObject, objectId: string, target: string): Promise<Row> => {
  const policy = { object_type: objectType, object_id: objectId, action: 'access_as_shared', target_tenant: target };
  const as = target === EVERYONE ? ADMIN : {};
  return one(await bed.call('POST', '/v2.0/rbac-policies', { rbac_policy: policy }, as), 'rbac_policy');
};

describe('address groups', () => {
  it('are made, filled, emptied, listed and deleted', async () => {
    const made = await makeAddressGroup({ description: 'd', addresses: ['10.1.2.3/8', 'FD00::/8'] });
    expect(made).toMatchObject({
      name: 'a',
      description: 'd',
      project_id: 'p1',
      tenant_id: 'p1',
      shared: false,
      addresses: ['10.0.0.0/8', 'fd00::/8'],
      revision_number: 1,
    });
    const at = `/v2.0/address-groups/${made.id}`;
    const put = (path: string, body: object) => bed.call('PUT', at + path, body);
    const added = one(await put('/add_addresses', { addresses: ['192.0.2.0/24'] }), 'address_group');
    expect(added).toMatchObject({ addresses: ['10.0.0.0/8', '192.0.2.0/24', 'fd00::/8'], revision_number: 2 });
    expect(fault(await put('/add_addresses', { addresses: ['10.5.5.5/8'] }))).toEqual({
      status: 400,
      type: 'AddressesAlreadyExist',
    });
    expect(fault(await put('/remove_addresses', { addresses: ['11.0.0.0/8'] }))).toEqual({
      status: 404,
      type: 'AddressesNotFound',
    });
    one(await put('/remove_addresses', { addresses: ['10.0.0.0/8', 'fd00::/8'] }), 'address_group');
    expect(one(await put('', { address_group: { name: 'b' } }), 'address_group')).toMatchObject({
      name: 'b',
      addresses: ['192.0.2.0/24'],
    });
    expect(many(await get('address-groups?name=b&fields=id'), 'address_groups')).toEqual([{ id: made.id }]);
    expect(fault(await get(`address-groups/${made.id}`, OTHER))).toEqual({ status: 404, type: 'AddressGroupNotFound' });
    expect((await bed.call('DELETE', at)).status).toBe(204);
    expect(fault(await bed.call('DELETE', at))).toEqual({ status: 404, type: 'AddressGroupNotFound' });
  });

  it('refuse what is no address, and change nothing', async () => {
    const post = (item: object) => bed.call('POST', '/v2.0/address-groups', { address_group: item });
    for (const addresses of [['10.0.0.0/33'], ['x'], [''], ['$pg_guard'], ['10.0.0.1\n'], [1], 'x', [null]])
      expect((await post({ addresses })).status, JSON.stringify(addresses)).toBe(400);
    expect((await post({ addresses: Array.from({ length: 5000 }, () => '10.0.0.0/8') })).status).toBe(400);
    expect((await post({ name: 'x'.repeat(256) })).status).toBe(400);
    expect((await post({ nonsense: 1 })).status).toBe(400);
    const empty = await makeAddressGroup({ addresses: null });
    const put = (body: unknown) => bed.call('PUT', `/v2.0/address-groups/${empty.id}/add_addresses`, body);
    for (const bad of [{}, { addresses: ['x'] }, { address_group: { addresses: [] } }, '[]'])
      expect((await put(bad)).status).toBe(400);
    expect(many(await get('address-groups'), 'address_groups').map((group) => group.id)).toEqual([empty.id]);
    await bed.call('DELETE', `/v2.0/address-groups/${empty.id}`);
  });

  it('are named by rules, come to stand in OVN, and stay while they are named', async () => {
    const addresses = await makeAddressGroup({ addresses: ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/8'] });
    const group = await makeGroup();
    const named = { remote_address_group_id: addresses.id };
    const rule = one(await addRule(group.id, named), 'security_group_rule');
    expect(rule).toMatchObject({ ...named, remote_group_id: null, belongs_to_default_sg: false });
    expect(fault(await addRule(group.id, { ...named, remote_ip_prefix: '10.0.0.0/8' }))).toEqual({
      status: 400,
      type: 'SecurityGroupMultipleRemoteEntites',
    });
    expect(fault(await addRule(group.id, { remote_address_group_id: randomUUID() }))).toEqual({
      status: 404,
      type: 'AddressGroupNotFound',
    });
    expect(fault(await addRule(group.id, { remote_address_group_id: 'x y' }))).toEqual({
      status: 404,
      type: 'AddressGroupNotFound',
    });
    const exists = await addRule(group.id, named);
    expect(fault(exists)).toEqual({ status: 409, type: 'SecurityGroupRuleExists' });
    expect(JSON.stringify(exists.body)).toContain(rule.id);
    expect(fault(await bed.call('DELETE', `/v2.0/address-groups/${addresses.id}`))).toEqual({
      status: 409,
      type: 'AddressGroupInUse',
    });
    const set = `ag_${addresses.id.replaceAll('-', '_')}_ip4`;
    const inOvn = () =>
      bed.ovn.tool('ovn-nbctl', '--bare', '--columns=addresses', 'find', 'Address_Set', `name=${set}`);
    await expect.poll(inOvn, { timeout: 5000 }).toBe('0.0.0.0/1 10.0.0.0/8 128.0.0.0/1\n');
    expect(bed.ovn.tool('ovn-nbctl', 'acl-list', `pg_${group.id.replaceAll('-', '_')}`)).toContain(
      `ip4.src == $${set}`,
    );
    await bed.call('PUT', `/v2.0/address-groups/${addresses.id}/remove_addresses`, { addresses: ['0.0.0.0/0'] });
    await expect.poll(inOvn, { timeout: 5000 }).toBe('10.0.0.0/8\n');
    await bed.call('DELETE', `/v2.0/security-group-rules/${rule.id}`);
    expect((await bed.call('DELETE', `/v2.0/address-groups/${addresses.id}`)).status).toBe(204);
    await expect.poll(inOvn, { timeout: 5000 }).toBe('');
  });
});

describe('what is shared', () => {
  it('is seen, used and not changed by those it is shared with', async () => {
    const group = await makeGroup({ name: 'for-another' });
    const addresses = await makeAddressGroup({ addresses: ['10.0.0.0/8'] });
    const own = await makeGroup({}, OTHER);
    for (const refused of [{ remote_group_id: group.id }, { remote_address_group_id: addresses.id }])
      expect((await addRule(own.id, refused, OTHER)).status).toBe(404);
    const policies = [
      await share('security_group', group.id, OTHER_PROJECT),
      await share('address_group', addresses.id, EVERYONE),
    ];
    const path = `security-groups/${group.id}`;
    expect(one(await get(path, OTHER), 'security_group')).toMatchObject({ shared: true, project_id: 'p1' });
    expect(one(await get(path), 'security_group')['shared']).toBe(false);
    expect((await get(path, { project: 'p3' })).status).toBe(404);
    expect(many(await get('security-groups?shared=true&fields=id', OTHER), 'security_groups')).toEqual([
      { id: group.id },
    ]);
    const unshared = many(await get('security-groups?shared=false', OTHER), 'security_groups');
    expect(unshared.map((row) => row.id)).not.toContain(group.id);
    expect(unshared.map((row) => row.id)).toContain(own.id);
    expect(one(await get(`address-groups/${addresses.id}`, OTHER), 'address_group')['shared']).toBe(true);
    expect((await bed.call('PUT', `/v2.0/${path}`, { security_group: { name: 'x' } }, OTHER)).status).toBe(403);
    expect((await bed.call('DELETE', `/v2.0/${path}`, undefined, OTHER)).status).toBe(403);
    expect((await bed.call('DELETE', `/v2.0/address-groups/${addresses.id}`, undefined, OTHER)).status).toBe(403);
    expect((await addRule(group.id, {}, OTHER)).status).toBe(403);
    one(await addRule(own.id, { remote_group_id: group.id }, OTHER), 'security_group_rule');
    one(await addRule(own.id, { remote_address_group_id: addresses.id }, OTHER), 'security_group_rule');
    const made = await bed.call('POST', '/v2.0/networks', { network: { name: 'n' } }, OTHER);
    const port = { network_id: one(made, 'network').id, security_groups: [group.id] };
    expect(one(await bed.call('POST', '/v2.0/ports', { port }, OTHER), 'port')['security_groups']).toEqual([group.id]);
    for (const policy of policies)
      expect(fault(await bed.call('DELETE', `/v2.0/rbac-policies/${policy.id}`, undefined, ADMIN))).toEqual({
        status: 409,
        type: 'RbacPolicyInUse',
      });
    const stranger = await makeGroup({}, { project: 'p3' });
    const foreign = { ...port, security_groups: [stranger.id] };
    expect(fault(await bed.call('POST', '/v2.0/ports', { port: foreign }, OTHER))).toEqual({
      status: 404,
      type: 'SecurityGroupNotFound',
    });
  });
});

describe('groups', () => {
  it('are made in bulk or not at all, and none is called default', async () => {
    const post = (...names: string[]) =>
      bed.call('POST', '/v2.0/security-groups', { security_groups: names.map((name) => ({ name })) });
    expect(many(await post('x1', 'x2'), 'security_groups').map((row) => row['name'])).toEqual(['x1', 'x2']);
    expect(fault(await post('x3', 'Default'))).toEqual({ status: 409, type: 'SecurityGroupDefaultAlreadyExists' });
    expect(many(await get('security-groups?name=x3'), 'security_groups')).toEqual([]);
  });

  it('are there by default for a project that an administrator asks for', async () => {
    const path = 'security-groups?project_id=never-seen';
    expect(many(await get(path, ADMIN), 'security_groups')).toMatchObject([
      { name: 'default', project_id: 'never-seen', shared: false },
    ]);
    expect(many(await get('security-groups?project_id=not-mine'), 'security_groups')).toEqual([]);
    expect(many(await get('security-groups?project_id=not-mine', ADMIN), 'security_groups')).toHaveLength(1);
    const rules = many(await get('security-group-rules?belongs_to_default_sg=true', OTHER), 'security_group_rules');
    expect(rules).toHaveLength(4);
    expect(rules.every((rule) => rule['belongs_to_default_sg'] === true)).toBe(true);
  });

  it('that keep connections and those that do not are not on one port', async () => {
    const network = one(await bed.call('POST', '/v2.0/networks', { network: { name: 'n' } }), 'network');
    const groups = [await makeGroup(), await makeGroup({ stateful: false })].map((group) => group.id);
    const port = { network_id: network.id, security_groups: groups };
    expect(fault(await bed.call('POST', '/v2.0/ports', { port }))).toEqual({
      status: 409,
      type: 'SecurityGroupConflict',
    });
  });

  it('change only at the revision that the client saw, and count their rules', async () => {
    const group = await makeGroup();
    const rule = one(await addRule(group.id, { protocol: 'vrrp' }), 'security_group_rule');
    expect(one(await get(`security-groups/${group.id}`), 'security_group')['revision_number']).toBe(2);
    expect((await bed.call('DELETE', `/v2.0/security-group-rules/${rule.id}`)).status).toBe(204);
    expect(one(await get(`security-groups/${group.id}`), 'security_group')['revision_number']).toBe(3);
  });
});

describe('templates', () => {
  it('are for administrators to change and for all to see', async () => {
    const path = '/v2.0/default-security-group-rules';
    const seeded = many(await get('default-security-group-rules'), 'default_security_group_rules');
    expect(seeded).toHaveLength(4);
    expect(seeded.filter((rule) => rule['remote_group_id'] === 'PARENT')).toHaveLength(2);
    const item = { direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22 };
    const post = (more: object = {}, as: object = ADMIN) =>
      bed.call('POST', path, { default_security_group_rule: { ...item, ...more } }, as);
    expect((await post({}, {})).status).toBe(403);
    const made = one(
      await post({ used_in_default_sg: true, used_in_non_default_sg: true }),
      'default_security_group_rule',
    );
    expect(made).toMatchObject({
      ...item,
      used_in_default_sg: true,
      used_in_non_default_sg: true,
      remote_group_id: null,
    });
    expect(fault(await post({ used_in_default_sg: true }))).toEqual({
      status: 409,
      type: 'DefaultSecurityGroupRuleExists',
    });
    expect(fault(await post({ remote_group_id: randomUUID(), port_range_min: 1 }))).toEqual({
      status: 404,
      type: 'SecurityGroupNotFound',
    });
    expect((await post({ remote_group_id: "x' or 1" })).status).toBe(404);
    expect((await post({ protocol: 'nonsense' })).status).toBe(400);
    expect(
      ((await makeGroup({}, OTHER))['security_group_rules'] as Row[]).map((rule) => rule['port_range_min']),
    ).toContain(22);
    expect((await bed.call('DELETE', `${path}/${made.id}`)).status).toBe(403);
    expect((await bed.call('DELETE', `${path}/${made.id}`, undefined, ADMIN)).status).toBe(204);
    expect((await get(`default-security-group-rules/${made.id}`)).status).toBe(404);
    expect((await makeGroup({}, OTHER))['security_group_rules']).toHaveLength(2);
  });
});

describe('settings of statefulness', () => {
  it('hold for new groups where nobody says: that of the project before that for all', async () => {
    const name = 'security_groups_default_statefulness';
    const path = '/v2.0/security-groups-default-statefulness';
    const project = randomUUID();
    const [member, manager] = [{ project }, { project, roles: ['manager', 'member', 'reader'] }];
    const post = (item: object, as: object) => bed.call('POST', path, { [name]: item }, as);
    const born = async (body = {}) => (await makeGroup(body, member))['stateful'];
    expect(await born()).toBe(true);
    expect((await post({ stateful: false }, member)).status).toBe(403);
    expect((await post({ project_id: null, stateful: false }, manager)).status).toBe(403);
    const forAll = one(await post({ project_id: null, stateful: false }, ADMIN), name);
    expect(forAll).toMatchObject({ project_id: null, stateful: false });
    expect(await born()).toBe(false);
    expect(await born({ stateful: true })).toBe(true);
    const own = one(await post({ stateful: true }, manager), name);
    expect(own).toMatchObject({ project_id: project, stateful: true });
    expect(await born()).toBe(true);
    expect(fault(await post({}, manager))).toEqual({
      status: 409,
      type: 'SecurityGroupDefaultStatefulnessAlreadyExists',
    });
    expect((await post({ project_id: null }, ADMIN)).status).toBe(409);
    const change = { [name]: { stateful: false } };
    expect(one(await bed.call('PUT', `${path}/${own.id}`, change, manager), name)['stateful']).toBe(false);
    expect((await bed.call('PUT', `${path}/${own.id}`, change, OTHER)).status).toBe(404);
    expect(many(await get('security-groups-default-statefulness', member), name)).toEqual([
      { ...own, stateful: false },
    ]);
    expect((await get(`security-groups-default-statefulness/${forAll.id}`, member)).status).toBe(404);
    for (const { id } of [own, forAll])
      expect((await bed.call('DELETE', `${path}/${id}`, undefined, ADMIN)).status).toBe(204);
    expect((await bed.call('DELETE', `${path}/${own.id}`, undefined, ADMIN)).status).toBe(404);
    expect(await born()).toBe(true);
  });
});

describe('rules that one client makes at once', () => {
  it('are all made, and fast', async () => {
    const group = await makeGroup();
    const started = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        addRule(group.id, { protocol: 'tcp', port_range_min: n + 1, port_range_max: n + 1 }),
      ),
    );
    const seconds = (performance.now() - started) / 1000;
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 300 }, () => 201));
    // Alone on a machine it is several hundred; one wait for a deadlock would take a second by itself.
    expect(300 / seconds).toBeGreaterThan(60);
    const acls = () =>
      bed.ovn
        .tool('ovn-nbctl', 'acl-list', `pg_${group.id.replaceAll('-', '_')}`)
        .trim()
        .split('\n').length;
    await expect.poll(acls, { timeout: 10_000 }).toBe(302);
  });
});
