import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed({ physicalNetworks: [{ name: 'public' }], quotas: { rbac_policy: 6 } });
const make = makers(bed);

const [OWNER, GUEST, THIRD] = [randomUUID(), randomUUID(), randomUUID()] as const;
const as = (project: string) => ({ project });
const TO_GUEST = { object_type: 'network', action: 'access_as_shared', target_tenant: GUEST };

const post = (body: object, who: object = as(OWNER)) =>
  bed().call('POST', '/v2.0/rbac-policies', { rbac_policy: { ...TO_GUEST, ...body } }, who);
const share = async (objectId: string, body: object = {}, who: object = as(OWNER)): Promise<Row> =>
  one(await post({ object_id: objectId, ...body }, who), 'rbac_policy');
const sees = async (networkId: string, project: string): Promise<boolean> =>
  (await bed().call('GET', `/v2.0/networks/${networkId}`, undefined, as(project))).status === 200;
const end = (policy: Row, who: object = as(OWNER)) =>
  bed().call('DELETE', `/v2.0/rbac-policies/${policy.id}`, undefined, who);

describe('a network that is shared with one project', () => {
  let network: Row;
  beforeAll(async () => {
    network = await make.network({}, as(OWNER));
    await make.subnet(network.id, {}, as(OWNER));
  });

  it('is seen and used by that project alone, as long as the policy stands', async () => {
    expect(await sees(network.id, GUEST)).toBe(false);
    const policy = await share(network.id);
    expect(policy).toEqual({
      ...TO_GUEST,
      id: policy.id,
      object_id: network.id,
      project_id: OWNER,
      tenant_id: OWNER,
    });
    const path = `/v2.0/rbac-policies/${policy.id}`;
    expect(one(await bed().call('GET', path, undefined, as(OWNER)), 'rbac_policy')).toEqual(policy);
    expect([await sees(network.id, GUEST), await sees(network.id, THIRD)]).toEqual([true, false]);
    const shown = one(await bed().call('GET', `/v2.0/networks/${network.id}`, undefined, as(GUEST)), 'network');
    expect(shown).toMatchObject({ shared: true, revision_number: 2 });
    const subnets = many(await bed().call('GET', '/v2.0/subnets', undefined, as(GUEST)), 'subnets');
    expect(subnets.map((subnet) => subnet['network_id'])).toEqual([network.id]);
    const port = await make.port(network.id, {}, as(GUEST));
    expect(fault(await end(policy))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    const moved = { rbac_policy: { target_tenant: THIRD } };
    expect(fault(await bed().call('PUT', path, moved, as(OWNER)))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    expect((await bed().call('DELETE', `/v2.0/ports/${port.id}`, undefined, as(GUEST))).status).toBe(204);
    expect(one(await bed().call('PUT', path, moved, as(OWNER)), 'rbac_policy')['target_tenant']).toBe(THIRD);
    expect([await sees(network.id, GUEST), await sees(network.id, THIRD)]).toEqual([false, true]);
    expect((await end(policy)).status).toBe(204);
    expect(await sees(network.id, THIRD)).toBe(false);
    expect(fault(await bed().call('GET', path, undefined, as(OWNER)))).toEqual({
      status: 404,
      type: 'RbacPolicyNotFound',
    });
  });

  it('stays open to a project that another policy reaches too', async () => {
    const [narrow, wide] = [await share(network.id), await share(network.id, { target_tenant: '*' }, ADMIN)];
    const port = await make.port(network.id, {}, as(GUEST));
    expect((await end(narrow)).status).toBe(204);
    expect(fault(await end(wide, ADMIN))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    const unshared = { network: { shared: false } };
    expect(fault(await bed().call('PUT', `/v2.0/networks/${network.id}`, unshared, ADMIN))).toEqual({
      status: 409,
      type: 'InvalidSharedSetting',
    });
    const again = await share(network.id);
    expect((await end(wide, ADMIN)).status).toBe(204);
    expect((await bed().call('DELETE', `/v2.0/ports/${port.id}`, undefined, as(GUEST))).status).toBe(204);
    expect((await end(again)).status).toBe(204);
  });

  it('may be shared by its owner and by administrators, with all only by these', async () => {
    const foreign = await make.network({}, as(THIRD));
    const bad = async (body: object, who: object = as(OWNER)) =>
      fault(await post({ object_id: network.id, ...body }, who));
    const invalid = { status: 400, type: 'InvalidInput' };
    expect(await bad({ target_tenant: '*' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await bad({ object_id: foreign.id })).toEqual(invalid);
    expect(await bad({ object_id: randomUUID() })).toEqual(invalid);
    expect(await bad({ object_type: 'router' })).toEqual(invalid);
    expect(await bad({ object_type: '__proto__' })).toEqual(invalid);
    expect(await bad({ target_tenant: 'nobody' })).toEqual(invalid);
    expect(await bad({ target_tenant: 'a\r\nb' })).toEqual(invalid);
    expect(await bad({ action: 'access_as_owner' })).toEqual({ status: 400, type: 'InvalidActionForType' });
    expect(await bad({ object_id: 'x' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await bad({ target_tenant: undefined })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    const made = await share(network.id);
    expect(await bad({})).toEqual({ status: 409, type: 'DuplicateRbacPolicy' });
    const wide = { rbac_policy: { target_tenant: '*' } };
    const path = `/v2.0/rbac-policies/${made.id}`;
    expect((await bed().call('PUT', path, wide, as(OWNER))).status).toBe(403);
    for (const method of ['GET', 'DELETE']) {
      expect(fault(await bed().call(method, path, undefined, as(GUEST)))).toEqual({
        status: 404,
        type: 'RbacPolicyNotFound',
      });
    }
    expect(many(await bed().call('GET', '/v2.0/rbac-policies', undefined, as(GUEST)), 'rbac_policies')).toEqual([]);
    expect((await bed().call('GET', '/v2.0/rbac-policies?nonsense=1', undefined, as(OWNER))).status).toBe(400);
    // One to whom it is shared does not own it.
    expect(await bad({ target_tenant: THIRD }, as(GUEST))).toEqual(invalid);
    expect((await end(made)).status).toBe(204);
  });

  it('counts against the quota of who shares it', async () => {
    const made: Row[] = [];
    for (let i = 0; i < 6; i++) made.push(await share(network.id, { target_tenant: randomUUID() }));
    expect(fault(await post({ object_id: network.id, target_tenant: randomUUID() }))).toEqual({
      status: 409,
      type: 'OverQuota',
    });
    for (const policy of made) expect((await end(policy)).status).toBe(204);
  });
});

describe('a way out for one project', () => {
  it('makes the network external, until the last policy goes', async () => {
    const network = await make.network({}, ADMIN);
    const path = `/v2.0/networks/${network.id}`;
    const external = async () => one(await bed().call('GET', path, undefined, ADMIN), 'network')['router:external'];
    const policies = [];
    for (const target_tenant of [GUEST, THIRD])
      policies.push(await share(network.id, { action: 'access_as_external', target_tenant }, ADMIN));
    expect(await external()).toBe(true);
    expect([await sees(network.id, GUEST), await sees(network.id, OWNER)]).toEqual([true, false]);
    expect((await end(policies[0]!, ADMIN)).status).toBe(204);
    expect(await external()).toBe(true);
    expect((await end(policies[1]!, ADMIN)).status).toBe(204);
    expect(await external()).toBe(false);
  });

  it('stays while a project has its routers or floating IPs there', async () => {
    const network = await make.network({}, ADMIN);
    await make.subnet(network.id, { enable_dhcp: false }, ADMIN);
    const policy = await share(network.id, { action: 'access_as_external' }, ADMIN);
    const router = { name: 'r', external_gateway_info: { network_id: network.id } };
    const made = one(await bed().call('POST', '/v2.0/routers', { router }, as(GUEST)), 'router');
    expect(fault(await end(policy, ADMIN))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    const closed = { network: { 'router:external': false } };
    expect(fault(await bed().call('PUT', `/v2.0/networks/${network.id}`, closed, ADMIN))).toEqual({
      status: 409,
      type: 'ExternalNetworkInUse',
    });
    expect((await bed().call('DELETE', `/v2.0/routers/${made.id}`, undefined, as(GUEST))).status).toBe(204);
    const floatingip = { floating_network_id: network.id };
    const ip = one(await bed().call('POST', '/v2.0/floatingips', { floatingip }, as(GUEST)), 'floatingip');
    expect(fault(await end(policy, ADMIN))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    expect((await bed().call('DELETE', `/v2.0/floatingips/${ip.id}`, undefined, as(GUEST))).status).toBe(204);
    expect((await end(policy, ADMIN)).status).toBe(204);
  });

  it('ends for all when the network is one no more', async () => {
    const network = await make.network({ 'router:external': true }, ADMIN);
    await share(network.id, { action: 'access_as_external' }, ADMIN);
    await bed().call('PUT', `/v2.0/networks/${network.id}`, { network: { 'router:external': false } }, ADMIN);
    const left = await bed().call('GET', `/v2.0/rbac-policies?object_id=${network.id}`, undefined, ADMIN);
    expect(many(left, 'rbac_policies')).toEqual([]);
    expect(await sees(network.id, GUEST)).toBe(false);
  });

  it('stays for everyone while the network is the default one', async () => {
    const network = await make.network({ 'router:external': true, is_default: true }, ADMIN);
    const listed = await bed().call('GET', `/v2.0/rbac-policies?object_id=${network.id}`, undefined, ADMIN);
    const [policy] = many(listed, 'rbac_policies');
    expect(policy).toMatchObject({ action: 'access_as_external', target_tenant: '*' });
    expect(fault(await end(policy!, ADMIN))).toEqual({ status: 409, type: 'RbacPolicyInUse' });
    expect((await bed().call('DELETE', `/v2.0/networks/${network.id}`, undefined, ADMIN)).status).toBe(204);
  });
});
