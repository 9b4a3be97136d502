import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const make = makers(bed);
const as = (who: object, method: string, path: string, body?: unknown) => bed().call(method, path, body, who);
const admin = (method: string, path: string, body?: unknown) => as(ADMIN, method, path, body);
const sb = (...parameters: string[]): string => bed().ovn.tool('ovn-sbctl', ...parameters);

const agents = async (query = ''): Promise<Row[]> => many(await admin('GET', `/v2.0/agents${query}`), 'agents');
const agentOn = async (host: string): Promise<Row | undefined> => (await agents()).find((row) => row['host'] === host);

/** Repeats until the look gives something. */
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await sleep(25);
  }
  throw new Error('it did not come to pass');
}

/** A node that says how far it is, as its controller would. */
function addNode(name: string, options: string, report: { readonly nbCfg: number; readonly at: number }): void {
  sb('chassis-add', name, 'geneve', name.startsWith('east') ? '192.0.2.1' : '192.0.2.2');
  const config = `other_config:ovn-cms-options="${options}"`;
  sb('set', 'Chassis', name, `hostname=${name}.test`, config, 'other_config:ovn-bridge-mappings="public:br-ex"');
  sb('create', 'Chassis_Private', `name=${name}`, `nb_cfg=${report.nbCfg}`, `nb_cfg_timestamp=${report.at}`);
}

describe('agents', () => {
  beforeAll(async () => {
    // Asking the nodes how far they are begins at once.
    await until(async () => Number(sb('get', 'SB_Global', '.', 'nb_cfg')) > 0);
    addNode('east-1', 'enable-chassis-as-gw,availability-zones=east', { nbCfg: 1_000, at: Date.now() });
    addNode('west-1', 'availability-zones=west', { nbCfg: 0, at: Date.now() - 80_000 });
    await until(async () => {
      const [east, west] = [await agentOn('east-1.test'), await agentOn('west-1.test')];
      return east?.['alive'] === true && west?.['availability_zone'] === 'west' && west['alive'] === false;
    });
  });

  it('are the controllers of the nodes that OVN knows', async () => {
    const east = (await agentOn('east-1.test'))!;
    expect(east).toMatchObject({
      agent_type: 'OVN Controller Gateway agent',
      binary: 'ovn-controller',
      topic: 'n/a',
      availability_zone: 'east',
      description: '',
      admin_state_up: true,
      alive: true,
      configurations: { chassis_name: 'east-1', 'bridge-mappings': 'public:br-ex' },
      resources_synced: null,
    });
    for (const time of ['created_at', 'started_at', 'heartbeat_timestamp'])
      expect(east[time]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(one(await admin('GET', `/v2.0/agents/${east.id}`), 'agent')).toEqual(east);
    expect((await agentOn('west-1.test'))?.['agent_type']).toBe('OVN Controller agent');
  });

  it('are filtered, sorted, paged and cut to fields', async () => {
    const hosts = (rows: readonly Row[]) => rows.map((row) => row['host']);
    expect(hosts(await agents('?alive=true'))).toEqual(['east-1.test']);
    expect(hosts(await agents('?alive=False'))).toEqual(['west-1.test']);
    expect(hosts(await agents('?agent_type=OVN%20Controller%20agent'))).toEqual(['west-1.test']);
    expect(hosts(await agents('?host=east-1.test&host=none'))).toEqual(['east-1.test']);
    expect(hosts(await agents('?sort_key=host&sort_dir=desc'))).toEqual(['west-1.test', 'east-1.test']);
    expect(await agents('?fields=host&sort_key=host&sort_dir=asc&limit=1')).toEqual([{ host: 'east-1.test' }]);
    expect(fault(await admin('GET', '/v2.0/agents?nonsense=1')).status).toBe(400);
  });

  it('are known to administrators alone', async () => {
    const { id } = (await agentOn('east-1.test'))!;
    expect((await as({}, 'GET', '/v2.0/agents')).body).toEqual({ agents: [] });
    for (const [method, body] of [['GET'], ['PUT', { agent: { description: 'x' } }], ['DELETE']] as const)
      expect(fault(await as({}, method, `/v2.0/agents/${id}`, body))).toEqual({ status: 404, type: 'AgentNotFound' });
    expect(fault(await admin('GET', '/v2.0/agents/east-1'))).toEqual({ status: 404, type: 'AgentNotFound' });
  });

  it('keep what is said of them, and nothing else', async () => {
    const { id } = (await agentOn('west-1.test'))!;
    const change = { description: 'in the cellar', admin_state_up: false };
    expect(one(await admin('PUT', `/v2.0/agents/${id}`, { agent: change }), 'agent')).toMatchObject(change);
    expect(one(await admin('PUT', `/v2.0/agents/${id}`, { agent: { description: null } }), 'agent')).toMatchObject({
      description: '',
      admin_state_up: false,
    });
    for (const bad of [{ alive: true }, { admin_state_up: 'perhaps' }, { description: 'x'.repeat(256) }])
      expect(fault(await admin('PUT', `/v2.0/agents/${id}`, { agent: bad })).status).toBe(400);
  });

  it('tell which zones there are', async () => {
    const zones = many(await as({}, 'GET', '/v2.0/availability_zones'), 'availability_zones');
    expect(zones).toHaveLength(4);
    expect(zones).toContainEqual({ name: 'east', resource: 'network', state: 'available' });
    // Its only node was taken out of use.
    expect(zones).toContainEqual({ name: 'west', resource: 'router', state: 'unavailable' });
    const routers = await as({}, 'GET', '/v2.0/availability_zones?resource=router&state=available');
    expect(many(routers, 'availability_zones')).toEqual([{ name: 'east', resource: 'router', state: 'available' }]);
    expect((await make.network({ availability_zone_hints: ['west', 'west'] }))['availability_zones']).toEqual(['west']);
    const network = { name: 'n', availability_zone_hints: ['nova'] };
    expect(fault(await as({}, 'POST', '/v2.0/networks', { network }))).toEqual({
      status: 404,
      type: 'AvailabilityZoneNotFound',
    });
  });

  it('are the gateways of routers, of which one is in charge', async () => {
    const external = await make.network({ 'router:external': true }, ADMIN);
    await make.subnet(external.id, { cidr: '203.0.113.0/24' }, ADMIN);
    const gateway = { name: 'r', external_gateway_info: { network_id: external.id } };
    const router = one(await as({}, 'POST', '/v2.0/routers', { router: gateway }), 'router');
    const hosting = many(await admin('GET', `/v2.0/routers/${router.id}/l3-agents`), 'agents');
    // Of the two nodes one says that it is a gateway.
    expect(hosting.map((agent) => [agent['host'], agent['ha_state']])).toEqual([['east-1.test', 'standby']]);
    const inner = one(await as({}, 'POST', '/v2.0/routers', { router: { name: 'inner' } }), 'router');
    expect((await admin('GET', `/v2.0/routers/${inner.id}/l3-agents`)).body).toEqual({ agents: [] });
    expect((await admin('GET', `/v2.0/agents/${hosting[0]!.id}/l3-routers`)).body).toEqual({ routers: [] });
    await bed().service.books.routers.setGatewayHosts(bed().service.db, [{ routerId: router.id, host: 'east-1' }]);
    const hosted = many(await admin('GET', `/v2.0/agents/${hosting[0]!.id}/l3-routers`), 'routers');
    expect(hosted).toMatchObject([{ id: router.id, availability_zones: ['east'] }]);
    expect((await as({}, 'GET', `/v2.0/routers/${router.id}/l3-agents`)).status).toBe(403);
    expect((await as({ project: 'p2' }, 'GET', `/v2.0/routers/${router.id}/l3-agents`)).status).toBe(404);
    expect((await as({}, 'GET', `/v2.0/agents/${hosting[0]!.id}/l3-routers`)).status).toBe(404);
  });

  it('that answer the DHCP of a network are all', async () => {
    const { id } = await make.network();
    const answering = many(await admin('GET', `/v2.0/networks/${id}/dhcp-agents?sort_key=host&sort_dir=asc`), 'agents');
    expect(answering.map((agent) => agent['host'])).toEqual(['east-1.test', 'west-1.test']);
    expect((await as({}, 'GET', `/v2.0/networks/${id}/dhcp-agents`)).status).toBe(403);
    expect((await as({ project: 'p2' }, 'GET', `/v2.0/networks/${id}/dhcp-agents`)).status).toBe(404);
  });

  it('that are dead are forgotten on request, in OVN too; others are not', async () => {
    const [east, west] = [(await agentOn('east-1.test'))!, (await agentOn('west-1.test'))!];
    expect(fault(await admin('DELETE', `/v2.0/agents/${east.id}`))).toEqual({ status: 409, type: 'AgentInUse' });
    expect((await admin('DELETE', `/v2.0/agents/${west.id}`)).status).toBe(204);
    for (const table of ['Chassis', 'Chassis_Private'])
      expect(sb('--bare', '--columns=name', 'list', table).trim()).toBe('east-1');
    await sleep(300);
    expect(await agentOn('west-1.test')).toBeUndefined();
  });

  it('that left are still listed, and come back as what they were', async () => {
    const before = (await agentOn('east-1.test'))!;
    await admin('PUT', `/v2.0/agents/${before.id}`, { agent: { description: 'kept' } });
    sb('chassis-del', 'east-1');
    await until(async () => (await agentOn('east-1.test'))?.['alive'] === false);
    addNode('east-1', 'enable-chassis-as-gw,availability-zones=east', { nbCfg: 1_000, at: Date.now() });
    const after = await until(async () => (await agents('?alive=true')).at(0));
    expect(after).toMatchObject({ id: before.id, description: 'kept', created_at: before['created_at'] });
  });
});
