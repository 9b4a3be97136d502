import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TAGGABLE } from '#services/network/api';
import { type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { id: string };

const ADMIN = { roles: ['admin'] };
const READER = { roles: ['reader'] };
const OTHER = { project: 'p2' };

let bed: Testbed;
/** One resource of project p1 for each collection that can be tagged. */
const made = new Map<string, string>();

async function make(collection: string, one: string, body: object, as = {}): Promise<string> {
  const answer = await bed.call('POST', `/v2.0/${collection}`, { [one]: body }, as);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return (answer.body[one] as Row).id;
}

beforeAll(async () => {
  bed = await testbed();
  const network_id = await make('networks', 'network', {});
  const security_group_id = await make('security-groups', 'security_group', { name: 'g' });
  const rule = { security_group_id, direction: 'ingress' };
  made.set('networks', network_id);
  made.set('security-groups', security_group_id);
  const segments = await bed.call('GET', `/v2.0/segments?network_id=${network_id}`, undefined, ADMIN);
  made.set('segments', (segments.body['segments'] as Row[])[0]!.id);
  made.set('subnets', await make('subnets', 'subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24' }));
  made.set('ports', await make('ports', 'port', { network_id }));
  made.set('subnetpools', await make('subnetpools', 'subnetpool', { prefixes: ['10.0.0.0/8'] }));
  made.set('address-scopes', await make('address-scopes', 'address_scope', { name: 's', ip_version: 4 }));
  made.set('address-groups', await make('address-groups', 'address_group', { addresses: [] }));
  made.set('security-group-rules', await make('security-group-rules', 'security_group_rule', rule));
  made.set('trunks', await make('trunks', 'trunk', { port_id: made.get('ports') }));
  made.set('routers', await make('routers', 'router', {}));
  const floating_network_id = await make('networks', 'network', { 'router:external': true }, ADMIN);
  await make('subnets', 'subnet', { network_id: floating_network_id, ip_version: 4, cidr: '203.0.113.0/24' }, ADMIN);
  made.set('floatingips', await make('floatingips', 'floatingip', { floating_network_id }));
  made.set('policies', await make('qos/policies', 'policy', { name: 'q' }, ADMIN));
});
afterAll(() => bed.close());

/** Policies of QoS and segments are administrators' to change; all else is members'. */
const writer = (collection: string) => (['policies', 'segments'].includes(collection) ? ADMIN : {});
/** What a reader of the project is told who would change something: segments it does not even see. */
const refusal = (collection: string) => (collection === 'segments' ? 404 : 403);

describe.each(TAGGABLE.map(({ collection }) => collection))('tags of %s', (collection) => {
  const path = () => `/v2.0/${collection}/${made.get(collection)}/tags`;
  const as = writer(collection);
  const tags = async () => (await bed.call('GET', path(), undefined, as)).body['tags'];

  it('are added, confirmed, replaced and removed', async () => {
    expect((await bed.call('PUT', `${path()}/red`, {}, as)).status).toBe(201);
    expect((await bed.call('PUT', `${path()}/red`, undefined, as)).status).toBe(201);
    expect((await bed.call('GET', `${path()}/red`, undefined, as)).status).toBe(204);
    expect((await bed.call('GET', `${path()}/blue`, undefined, as)).status).toBe(404);
    expect((await bed.call('POST', path(), { tags: ['green', 'blue'] }, as)).body).toEqual({
      tags: ['blue', 'green', 'red'],
    });
    expect((await bed.call('DELETE', `${path()}/green`, undefined, as)).status).toBe(204);
    expect((await bed.call('DELETE', `${path()}/green`, undefined, as)).status).toBe(404);
    expect(await tags()).toEqual(['blue', 'red']);
    const replaced = await bed.call('PUT', path(), { tags: ['b', 'a', 'b'] }, as);
    expect([replaced.status, replaced.body]).toEqual([200, { tags: ['a', 'b'] }]);
    expect((await bed.call('DELETE', path(), undefined, as)).status).toBe(204);
    expect(await tags()).toEqual([]);
  });

  it('are refused where they are none, and nothing changes', async () => {
    for (const bad of [['a,b'], [''], ['x'.repeat(256)], ['a\r\nb'], Array.from({ length: 51 }, (_, i) => `t${i}`)])
      expect((await bed.call('PUT', path(), { tags: bad }, as)).status).toBe(400);
    expect((await bed.call('PUT', path(), { tags: 'red' }, as)).status).toBe(400);
    expect((await bed.call('PUT', `${path()}/a,b`, {}, as)).status).toBe(400);
    expect(await tags()).toEqual([]);
  });

  it('are of those alone whose the resource is', async () => {
    const methods: [string, string, object | undefined][] = [
      ['GET', '', undefined],
      ['GET', '/red', undefined],
      ['POST', '', { tags: ['x'] }],
      ['PUT', '', { tags: ['x'] }],
      ['PUT', '/x', {}],
      ['DELETE', '', undefined],
      ['DELETE', '/red', undefined],
    ];
    for (const [method, rest, body] of methods) {
      expect((await bed.call(method, path() + rest, body, OTHER)).status, `${method} ${rest}`).toBe(404);
      const nowhere = `/v2.0/${collection}/${randomUUID()}/tags${rest}`;
      expect((await bed.call(method, nowhere, body, as)).status, `${method} ${rest}`).toBe(404);
      if (method === 'GET') continue;
      expect((await bed.call(method, path() + rest, body, READER)).status, `${method} ${rest}`).toBe(
        refusal(collection),
      );
    }
    expect(await tags()).toEqual([]);
  });
});

describe('tags', () => {
  it('find what has them, and count as changes', async () => {
    const id = await make('networks', 'network', { name: 'tagged' });
    const other = await make('networks', 'network', { name: 'other' });
    await bed.call('PUT', `/v2.0/networks/${id}/tags`, { tags: ['one', 'two'] });
    await bed.call('PUT', `/v2.0/networks/${other}/tags`, { tags: ['two'] });
    const found = async (query: string) =>
      ((await bed.call('GET', `/v2.0/networks?${query}&fields=name&sort_key=name`)).body['networks'] as Row[])
        .map((row) => row['name'])
        .filter((name) => name !== '');
    expect(await found('tags=one,two')).toEqual(['tagged']);
    expect(await found('tags-any=one,two')).toEqual(['other', 'tagged']);
    expect(await found('not-tags=one,two')).toEqual(['other']);
    expect(await found('not-tags-any=one')).toEqual(['other']);
    const shown = (await bed.call('GET', `/v2.0/networks/${id}`)).body['network'] as Row;
    expect(shown).toMatchObject({ tags: ['one', 'two'], revision_number: 2 });
  });

  it('of what is shared are seen by all and changed by its owner', async () => {
    const id = await make('networks', 'network', { shared: true }, ADMIN);
    const path = `/v2.0/networks/${id}/tags`;
    expect((await bed.call('GET', path, undefined, OTHER)).body).toEqual({ tags: [] });
    expect((await bed.call('PUT', `${path}/mine`, {}, OTHER)).status).toBe(403);
  });

  it('set by many at once are all there', async () => {
    const id = await make('networks', 'network', {});
    const put = (n: number) => bed.call('PUT', `/v2.0/networks/${id}/tags/t${String(n).padStart(2, '0')}`, {});
    await Promise.all(Array.from({ length: 20 }, (_, n) => put(n)));
    const shown = (await bed.call('GET', `/v2.0/networks/${id}`)).body['network'] as Row;
    expect([(shown['tags'] as string[]).length, shown['revision_number']]).toEqual([20, 21]);
  });
});
