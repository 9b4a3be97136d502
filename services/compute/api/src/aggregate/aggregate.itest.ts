import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, type Answer, DEMO, IMAGE, openStage, type Stage } from '../compute.fixture.js';

let stage: Stage;
const heard: (string | undefined)[] = [];
beforeAll(async () => {
  stage = await openStage();
  const node = (await stage.books.nodes.find(stage.scratch.db, 'node-1'))!;
  const second = { ...node, name: 'node-2', hypervisorId: '55555555-5555-4555-8555-666666666666' };
  await stage.books.nodes.enrol(stage.scratch.db, second, new Date());
  await stage.scratch.db.listen('compute_node', (name) => heard.push(name));
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.scratch.db.exec('truncate server, aggregate, aggregate_host cascade');
  await stage.scratch.db.exec('update node set availability_zone = own_zone');
});

const ask = (method: string, path: string, body?: unknown, at = '2.1', as = ADMIN): Promise<Answer> =>
  stage.ask(method, `/v2.1/os-aggregates${path}`, { as, at, ...(body ? { body } : {}) });
const create = async (name: string, zone?: string): Promise<number> =>
  (await ask('POST', '', { aggregate: { name, ...(zone ? { availability_zone: zone } : {}) } })).body.aggregate.id;
const act = (id: number, action: string, body: unknown) => ask('POST', `/${id}/action`, { [action]: body });
const add = (id: number, host = 'node-1') => act(id, 'add_host', { host });
const zoneOfNode = async (name = 'node-1'): Promise<string> =>
  (await stage.books.nodes.find(stage.scratch.db, name))!.availabilityZone;
const message = ({ body }: Answer): string => (Object.values(body)[0] as { message: string }).message;

describe('aggregates', () => {
  it('are made, shown, listed, renamed and removed', async () => {
    const made = await ask('POST', '', { aggregate: { name: 'a', availability_zone: 'z' } });
    expect(made.status).toBe(200);
    const { id } = made.body.aggregate;
    const time = expect.stringMatching(/^\d{4}-.*\d{6}$/);
    const base = { id, availability_zone: 'z', created_at: time, deleted: false, deleted_at: null };
    expect(made.body.aggregate).toEqual({ ...base, name: 'a', updated_at: null });
    const shown = { ...base, hosts: [], metadata: { availability_zone: 'z' } };
    const renamed = await ask('PUT', `/${id}`, { aggregate: { name: 'b' } });
    expect(renamed.body.aggregate).toEqual({ ...shown, name: 'b', updated_at: time });
    const { body } = await ask('GET', '', undefined, '2.41');
    expect(body.aggregates).toEqual([{ ...shown, name: 'b', updated_at: time, uuid: expect.any(String) }]);
    expect((await ask('GET', `/${id}`)).body.aggregate.name).toBe('b');
    expect([(await ask('DELETE', `/${id}`)).status, (await ask('GET', `/${id}`)).status]).toEqual([200, 404]);
  });

  it('refuse bad bodies, taken names, and ids that are none', async () => {
    const id = await create('a');
    for (const aggregate of [{}, { name: '' }, { name: 'x'.repeat(256) }, { name: 'x', colour: 'red' }])
      expect([aggregate, (await ask('POST', '', { aggregate })).status]).toEqual([aggregate, 400]);
    expect((await ask('POST', '', { aggregate: { name: 'x', availability_zone: 'a:b' } })).status).toBe(400);
    const taken = await ask('POST', '', { aggregate: { name: 'a' } });
    expect([taken.status, message(taken)]).toEqual([409, 'Aggregate a already exists.']);
    await create('b');
    expect((await ask('PUT', `/${id}`, { aggregate: { name: 'b' } })).status).toBe(409);
    for (const method of ['GET', 'DELETE']) {
      expect((await ask(method, '/-1')).status).toBe(404);
      expect((await ask(method, '/99999999999')).status).toBe(404);
      expect((await ask(method, '/x')).status).toBe(400);
    }
    expect((await act(id, 'add_host', { host: 'nowhere' })).status).toBe(404);
    expect((await act(id, 'add_host', { host: 'no/where' })).status).toBe(400);
    expect((await act(id, 'set_metadata', { metadata: { cpu_allocation_ratio: 'lots' } })).status).toBe(400);
    expect((await act(99, 'set_metadata', { metadata: { a: 'b' } })).status).toBe(404);
  });

  it('take nodes in and let them go, and the worker hears of it', async () => {
    const id = await create('a');
    heard.length = 0;
    expect((await add(id)).body.aggregate.hosts).toEqual(['node-1']);
    const again = await add(id);
    expect([again.status, message(again)]).toEqual([409, `Aggregate ${id} already has host node-1.`]);
    const full = await ask('DELETE', `/${id}`);
    expect([full.status, message(full)]).toEqual([
      400,
      `Cannot remove host from aggregate ${id}. Reason: Host aggregate is not empty.`,
    ]);
    expect((await act(id, 'remove_host', { host: 'node-1' })).body.aggregate.hosts).toEqual([]);
    const gone = await act(id, 'remove_host', { host: 'node-1' });
    expect([gone.status, message(gone)]).toEqual([404, `Cannot remove host node-1 in aggregate ${id}`]);
    await expect.poll(() => heard).toEqual(['node-1', 'node-1']);
  });

  it('have metadata of which null takes a key away', async () => {
    const id = await create('a');
    await act(id, 'set_metadata', { metadata: { ssd: 'true', x: '1' } });
    const { body } = await act(id, 'set_metadata', { metadata: { x: null, y: '2' } });
    expect(body.aggregate.metadata).toEqual({ ssd: 'true', y: '2' });
  });

  it('are for administrators', async () => {
    const id = await create('a');
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['GET', `/${id}`],
      ['DELETE', `/${id}`],
    ] as const)
      expect(
        (await ask(method, path, method === 'POST' ? { aggregate: { name: 'x' } } : undefined, '2.1', DEMO)).status,
      ).toBe(403);
  });

  it('have their nodes fetch images, once', async () => {
    const id = await create('a');
    await add(id);
    await add(id, 'node-2');
    const cache = [{ id: IMAGE }];
    const hold = (of: number, body: object, at = '2.81', as = ADMIN) => ask('POST', `/${of}/images`, body, at, as);
    expect((await hold(id, { cache }, '2.80')).status).toBe(404);
    expect((await hold(id, { cache }, '2.81', DEMO)).status).toBe(403);
    const elsewhere = [{ id: '11111111-1111-4111-8111-999999999999' }];
    for (const body of [
      { cache: [] },
      {},
      { cache: [{ id: 'x' }] },
      { cache: [...cache, ...cache] },
      { cache, more: 1 },
    ])
      expect([body, (await hold(id, body)).status]).toEqual([body, 400]);
    expect((await hold(99, { cache })).status).toBe(404);
    const unknown = await hold(id, { cache: elsewhere });
    expect([unknown.status, message(unknown)]).toEqual([404, `Image ${elsewhere[0]!.id} could not be found.`]);
    for (const _ of [1, 2]) expect(await hold(id, { cache })).toMatchObject({ status: 202, body: undefined });
    expect(await stage.scratch.db.query(`select kind, input from task where kind = 'image.hold' order by key`)).toEqual(
      [
        { kind: 'image.hold', input: { imageId: IMAGE, node: 'node-1' } },
        { kind: 'image.hold', input: { imageId: IMAGE, node: 'node-2' } },
      ],
    );
  });
});

describe('availability zones', () => {
  it('come from aggregates, and go with them', async () => {
    const id = await create('a', 'far');
    await add(id);
    expect([await zoneOfNode(), await zoneOfNode('node-2')]).toEqual(['far', 'nova']);
    const { body } = await stage.ask('GET', '/v2.1/os-availability-zone/detail', { as: ADMIN });
    expect(
      body.availabilityZoneInfo.map((zone: { zoneName: string; hosts: object }) => [
        zone.zoneName,
        Object.keys(zone.hosts),
      ]),
    ).toEqual([
      ['far', ['node-1']],
      ['nova', ['node-2']],
    ]);
    await ask('PUT', `/${id}`, { aggregate: { availability_zone: 'near' } });
    expect(await zoneOfNode()).toBe('near');
    const node = (await stage.books.nodes.find(stage.scratch.db, 'node-1'))!;
    await stage.books.nodes.enrol(stage.scratch.db, { ...node, availabilityZone: 'nova' }, new Date());
    expect(await zoneOfNode()).toBe('near');
    await act(id, 'remove_host', { host: 'node-1' });
    expect(await zoneOfNode()).toBe('nova');
  });

  it('of a node must not contradict each other, nor be taken away', async () => {
    const [far, near, plain] = [await create('a', 'far'), await create('b', 'near'), await create('c')];
    await add(far);
    const refused = await add(near);
    expect([refused.status, message(refused)]).toEqual([
      409,
      `Cannot add host to aggregate ${near}. Reason: One or more hosts already in availability zone(s) ['far'].`,
    ]);
    expect((await add(plain)).status).toBe(200);
    const meta = await act(plain, 'set_metadata', { metadata: { availability_zone: 'near' } });
    expect([meta.status, message(meta)]).toEqual([
      400,
      `Cannot update metadata of aggregate ${plain}. Reason: One or more hosts already in availability zone(s) ['far'].`,
    ]);
    expect((await act(plain, 'set_metadata', { metadata: { availability_zone: 'far' } })).status).toBe(200);
    const none = await ask('PUT', `/${far}`, { aggregate: { availability_zone: null } });
    expect([none.status, message(none)]).toEqual([
      400,
      `Cannot update aggregate ${far}. Reason: Aggregate a does not support empty named availability zone.`,
    ]);
  });

  it('do not change under the servers that are bound to them', async () => {
    const id = await create('a', 'far');
    const server = await stage.boot();
    await add(id);
    const shown = await stage.ask('GET', `/v2.1/servers/${server}`, { as: DEMO });
    expect(shown.body.server['OS-EXT-AZ:availability_zone']).toBe('far');
    for (const body of [{ aggregate: { availability_zone: 'near' } }]) {
      const refused = await ask('PUT', `/${id}`, body);
      expect([refused.status, message(refused)]).toEqual([
        400,
        `Cannot update aggregate ${id}. Reason: One or more hosts contain instances in this zone.`,
      ]);
    }
    await stage.scratch.db.exec(`update server set pinned_zone = 'far'`);
    const held = await act(id, 'remove_host', { host: 'node-1' });
    expect([held.status, message(held)]).toEqual([409, `Cannot remove host node-1 in aggregate ${id}`]);
    expect((await ask('GET', `/${id}`)).body.aggregate.hosts).toEqual(['node-1']);
    const other = await create('b', 'near');
    expect((await add(other)).status).toBe(409);
  });
});
