import { describe, expect, it } from 'vitest';
import { ADMIN, fault, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const LABELS = '/v2.0/metering/metering-labels';
const RULES = '/v2.0/metering/metering-label-rules';

const label = async (body: object = {}): Promise<Row> =>
  one(await bed().call('POST', LABELS, { metering_label: body }, ADMIN), 'metering_label');
const newRule = (body: object) =>
  bed().call('POST', RULES, { metering_label_rule: { direction: 'ingress', ...body } }, ADMIN);

describe('metering labels', () => {
  it('are made, found and deleted by administrators, with their rules', async () => {
    const made = await label({ name: 'web', description: 'what comes in' });
    expect(made).toEqual({
      id: made.id,
      name: 'web',
      description: 'what comes in',
      shared: false,
      project_id: 'p1',
      tenant_id: 'p1',
    });
    const path = `${LABELS}/${made.id}`;
    expect(one(await bed().call('GET', path, undefined, ADMIN), 'metering_label')).toEqual(made);
    const found = async (query: string) =>
      many(await bed().call('GET', `${LABELS}?${query}`, undefined, ADMIN), 'metering_labels').map((row) => row.id);
    expect(await found('name=web')).toEqual([made.id]);
    expect(await found('id=33')).toEqual([]);
    const rule = one(
      await newRule({ metering_label_id: made.id, remote_ip_prefix: '10.0.0.0/24' }),
      'metering_label_rule',
    );
    expect((await bed().call('DELETE', path, undefined, ADMIN)).status).toBe(204);
    expect(fault(await bed().call('GET', path, undefined, ADMIN))).toEqual({
      status: 404,
      type: 'MeteringLabelNotFound',
    });
    expect(fault(await bed().call('DELETE', `${RULES}/${rule.id}`, undefined, ADMIN))).toEqual({
      status: 404,
      type: 'MeteringLabelRuleNotFound',
    });
  });

  it('are nothing that a project sees or makes', async () => {
    const made = await label({ shared: true });
    expect(fault(await bed().call('POST', LABELS, { metering_label: {} })).status).toBe(403);
    expect(many(await bed().call('GET', LABELS), 'metering_labels')).toEqual([]);
    expect(many(await bed().call('GET', RULES), 'metering_label_rules')).toEqual([]);
    expect(fault(await bed().call('GET', `${LABELS}/${made.id}`)).status).toBe(404);
    expect(fault(await bed().call('DELETE', `${LABELS}/${made.id}`)).status).toBe(404);
  });
});

describe('metering label rules', () => {
  it('name the traffic by one side or both ends', async () => {
    const { id } = await label();
    const remote = one(
      await newRule({ metering_label_id: id, remote_ip_prefix: '10.0.0.7/24', excluded: 'True' }),
      'metering_label_rule',
    );
    expect(remote).toEqual({
      id: remote.id,
      metering_label_id: id,
      direction: 'ingress',
      excluded: true,
      remote_ip_prefix: '10.0.0.0/24',
      source_ip_prefix: null,
      destination_ip_prefix: null,
    });
    const ends = { metering_label_id: id, source_ip_prefix: '10.0.0.0/8', destination_ip_prefix: '172.16.0.0/12' };
    expect(one(await newRule(ends), 'metering_label_rule')).toMatchObject(ends);
    const listed = many(
      await bed().call('GET', `${RULES}?metering_label_id=${id}`, undefined, ADMIN),
      'metering_label_rules',
    );
    expect(listed).toHaveLength(2);
    const path = `${RULES}/${remote.id}`;
    expect(one(await bed().call('GET', path, undefined, ADMIN), 'metering_label_rule')).toEqual(remote);
    expect((await bed().call('DELETE', path, undefined, ADMIN)).status).toBe(204);
  });

  it('of one label never overlap, also when they are made at once', async () => {
    const { id } = await label();
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, host) =>
        newRule({ metering_label_id: id, remote_ip_prefix: `10.0.0.${host}/24` }),
      ),
    );
    expect(made.map((answer) => answer.status).sort()).toEqual([201, ...new Array(9).fill(409)]);
    expect(fault(made.find((answer) => answer.status === 409)!).type).toBe('MeteringLabelRuleOverlaps');
    for (const other of [{ direction: 'egress' }, { excluded: true }, { metering_label_id: (await label()).id }]) {
      const rule = { metering_label_id: id, remote_ip_prefix: '10.0.0.0/25', ...other };
      expect((await newRule(rule)).status).toBe(201);
    }
  });

  it('refuse nonsense by name', async () => {
    const { id } = await label();
    const refuse = async (body: object) => fault(await newRule({ metering_label_id: id, ...body }));
    expect(await refuse({})).toEqual({ status: 400, type: 'Invalid' });
    expect(await refuse({ remote_ip_prefix: 'x' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect((await refuse({ remote_ip_prefix: '10.0.0.0/8', direction: 'up' })).status).toBe(400);
    expect(await refuse({ remote_ip_prefix: '10.0.0.0/8', metering_label_id: 'none' })).toEqual({
      status: 404,
      type: 'MeteringLabelNotFound',
    });
    const absent = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
    expect(await refuse({ remote_ip_prefix: '10.0.0.0/8', metering_label_id: absent })).toEqual({
      status: 404,
      type: 'MeteringLabelNotFound',
    });
  });
});
