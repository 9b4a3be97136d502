import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fault, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed({ quotas: { security_group: 5 } });

describe('security groups', () => {
  it('are there by default, made, changed and deleted', async () => {
    const as = { project: 'groups' };
    const [standard] = many(await bed().call('GET', '/v2.0/security-groups', undefined, as), 'security_groups');
    expect(standard).toMatchObject({ name: 'default', stateful: true });
    const rules = standard!['security_group_rules'] as Row[];
    expect(
      rules
        .map((rule) => `${rule['direction']} ${rule['ethertype']} ${rule['remote_group_id'] === standard!.id}`)
        .sort(),
    ).toEqual(['egress IPv4 false', 'egress IPv6 false', 'ingress IPv4 true', 'ingress IPv6 true']);
    const create = (name: string) =>
      bed().call('POST', '/v2.0/security-groups', { security_group: { name, description: 'd' } }, as);
    expect(fault(await create('default'))).toEqual({ status: 409, type: 'SecurityGroupDefaultAlreadyExists' });
    const made = one(await create('web'), 'security_group');
    expect(made['security_group_rules']).toHaveLength(2);
    const path = `/v2.0/security-groups/${made.id}`;
    const changed = one(
      await bed().call('PUT', path, { security_group: { name: 'www', description: 'e' } }, as),
      'security_group',
    );
    expect(changed).toMatchObject({ name: 'www', description: 'e' });
    expect((await bed().call('DELETE', path, undefined, as)).status).toBe(204);
    expect(fault(await bed().call('GET', path, undefined, as))).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(fault(await bed().call('DELETE', `/v2.0/security-groups/${standard!.id}`, undefined, as))).toEqual({
      status: 409,
      type: 'SecurityGroupCannotRemoveDefault',
    });
    expect((await bed().call('GET', `/v2.0/security-groups/${standard!.id}`)).status).toBe(404);
  });

  it('take rules one by one and in bulk', async () => {
    const as = { project: 'rules' };
    const group = one(
      await bed().call('POST', '/v2.0/security-groups', { security_group: { name: 'g' } }, as),
      'security_group',
    );
    const add = (rule: object) =>
      bed().call(
        'POST',
        '/v2.0/security-group-rules',
        { security_group_rule: { security_group_id: group.id, direction: 'ingress', ...rule } },
        as,
      );
    const ssh = { protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.1.2.3/8' };
    const rule = one(await add(ssh), 'security_group_rule');
    expect(rule).toMatchObject({
      ...ssh,
      ethertype: 'IPv4',
      normalized_cidr: '10.0.0.0/8',
      remote_group_id: null,
      project_id: 'rules',
    });
    expect(fault(await add(ssh))).toEqual({ status: 409, type: 'SecurityGroupRuleExists' });
    expect(fault(await add({ remote_group_id: randomUUID() }))).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(fault(await add({ protocol: 'nonsense' }))).toEqual({
      status: 400,
      type: 'SecurityGroupRuleInvalidProtocol',
    });
    expect(fault(await add({ security_group_id: randomUUID() }))).toEqual({
      status: 404,
      type: 'SecurityGroupNotFound',
    });
    const bulk = [80, 443].map((port) => ({
      security_group_id: group.id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: port,
      port_range_max: port,
    }));
    expect(
      many(
        await bed().call('POST', '/v2.0/security-group-rules', { security_group_rules: bulk }, as),
        'security_group_rules',
      ),
    ).toHaveLength(2);
    expect(
      many(
        await bed().call(
          'GET',
          `/v2.0/security-group-rules?security_group_id=${group.id}&direction=ingress`,
          undefined,
          as,
        ),
        'security_group_rules',
      ),
    ).toHaveLength(3);
    expect((await bed().call('DELETE', `/v2.0/security-group-rules/${rule.id}`, undefined, as)).status).toBe(204);
    expect(fault(await bed().call('GET', `/v2.0/security-group-rules/${rule.id}`, undefined, as))).toEqual({
      status: 404,
      type: 'SecurityGroupRuleNotFound',
    });
  });

  it('are limited by quota', async () => {
    const as = { project: 'limited' };
    const create = () => bed().call('POST', '/v2.0/security-groups', { security_group: { name: 'g' } }, as);
    for (let i = 0; i < 4; i++) expect((await create()).status).toBe(201);
    expect(fault(await create())).toEqual({ status: 409, type: 'OverQuota' });
  });
});
