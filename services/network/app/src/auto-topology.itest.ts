/** A project that asks for any network gets one with a way out, once, and can be rid of it. */
import { expect, it } from 'vitest';
import { ADMIN, fault, many, one, sharedTestbed } from './client.fixture.js';
import { Routing } from './routing.fixture.js';

const bed = sharedTestbed();
const path = (project: string) => `/v2.0/auto-allocated-topology/${project}`;
const ask = (project: string, query = '', as: object = { project }) =>
  bed().call('GET', path(project) + query, undefined, as);
const idOf = async (project: string, as?: object) => one(await ask(project, '', as), 'auto_allocated_topology').id;
const list = async (collection: string, project: string) =>
  many(await bed().call('GET', `/v2.0/${collection}`, undefined, { project }), collection);

const failure = { status: 409, type: 'AutoAllocationFailure' };

it('says what is missing before an operator has set it up', async () => {
  expect(fault(await ask('early'))).toEqual(failure);
  expect(fault(await ask('early', '?fields=dry-run'))).toEqual(failure);
  await new Routing(bed()).outside('203.0.113.0/24', { is_default: true });
  const refused = await ask('early');
  expect(refused.body['NeutronError']).toMatchObject({ message: 'Deployment error: No default subnetpools defined.' });
  const pools = [
    { name: 'v4', prefixes: ['10.80.0.0/22'], default_prefixlen: 26, is_default: true },
    { name: 'v6', prefixes: ['fd80::/56'], default_prefixlen: 64, is_default: true },
  ];
  for (const subnetpool of pools)
    one(await bed().call('POST', '/v2.0/subnetpools', { subnetpool }, ADMIN), 'subnetpool');
  const passed = one(await ask('early', '?fields=dry-run'), 'auto_allocated_topology');
  expect(passed).toEqual({ id: 'dry-run=pass', tenant_id: 'early', project_id: 'early' });
  expect(await list('networks', 'early')).toHaveLength(1);
});

it('makes a network with subnets and a router once, whoever asks and however many at once', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => idOf('t1')));
  expect(new Set(ids).size).toBe(1);
  expect(await idOf('t1', { project: 'other', ...ADMIN })).toBe(ids[0]);
  expect(one(await bed().call('GET', path('None'), undefined, { project: 't1' }), 'auto_allocated_topology').id).toBe(
    ids[0],
  );
  const own = (await list('networks', 't1')).filter((network) => network['project_id'] === 't1');
  expect(own.map((network) => [network.id, network['name'], network['admin_state_up']])).toEqual([
    [ids[0], 'auto_allocated_network', true],
  ]);
  const subnets = (await list('subnets', 't1')).filter((subnet) => subnet['network_id'] === ids[0]);
  expect(subnets.map((subnet) => subnet['name']).sort()).toEqual([
    'auto_allocated_subnet_v4',
    'auto_allocated_subnet_v6',
  ]);
  const [router, ...more] = await list('routers', 't1');
  expect(more).toEqual([]);
  expect(router).toMatchObject({ name: 'auto_allocated_router', external_gateway_info: { enable_snat: true } });
  const ports = await list('ports', 't1');
  expect(ports.filter((port) => port['device_id'] === router!.id)).toHaveLength(2);
});

it('takes all of it away, and nothing while a port is in use', async () => {
  const id = await idOf('t2');
  const port = { network_id: id, device_id: 'x', device_owner: 'compute:nova' };
  const held = one(await bed().call('POST', '/v2.0/ports', { port }, { project: 't2' }), 'port');
  const remove = () => bed().call('DELETE', path('t2'), undefined, { project: 't2' });
  expect(fault(await remove())).toEqual({ status: 409, type: 'NetworkInUse' });
  expect(await list('routers', 't2')).toHaveLength(1);
  await bed().call('DELETE', `/v2.0/ports/${held.id}`, undefined, { project: 't2' });
  expect((await remove()).status).toBe(204);
  expect(await list('routers', 't2')).toEqual([]);
  expect((await remove()).status).toBe(204);
  expect(await idOf('t2')).not.toBe(id);
});

it('leaves nothing behind where the pools are used up', async () => {
  const { db } = bed().service;
  const before = await db.query('select id from network');
  for (let n = 0; n < 20; n += 1) {
    const answer = await ask(`many${n}`);
    if (answer.status === 200) continue;
    expect(fault(answer)).toEqual(failure);
    expect(await db.query(`select id from network where project_id = 'many${n}'`)).toEqual([]);
    const uses = await db.query(`select * from quota_usage where project_id = 'many${n}' and used > 0`);
    expect(uses).toEqual([]);
    expect((await db.query('select id from network')).length).toBeGreaterThan(before.length);
    return;
  }
  throw new Error('the pool never ended');
});

it('is nobody else’s', async () => {
  expect((await ask('t1', '', { project: 'other' })).status).toBe(403);
  expect((await bed().call('DELETE', path('t1'), undefined, { project: 'other' })).status).toBe(403);
  expect((await ask('t1', '?fields=id')).status).toBe(400);
  expect((await bed().call('GET', path('a%0d%0ab'), undefined, ADMIN)).status).toBe(400);
});
