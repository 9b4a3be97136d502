/** What an operator is told: the timeline of a server, and books that agree with what is there. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { audit } from '#libs/audit';
import { fail, systemClock } from '#libs/kernel';
import { BookRepo } from '#services/compute/data';
import { Testbed } from '../testbed/testbed.fixture.js';
import { operatorService } from './operator.grpc.js';

let bed: Testbed;
let operator: ReturnType<typeof operatorService>;
const peer = { name: 'cli', requestId: '' };

beforeAll(async () => {
  bed = await Testbed.open();
  await bed.node('node-1');
  await bed.node('node-2');
  await bed.run();
  const { nodes, events, standings } = bed.repos;
  operator = operatorService({
    ...{ db: bed.db, nodes, events, standings, books: new BookRepo(), process: 'compute', version: '1' },
    ...{ startedAt: new Date(0), clock: systemClock, waitingReports: async () => 0 },
    agentOf: ({ name }) => ({
      inventory: async () => {
        const node = bed.nodes.get(name)!;
        if (node.dead) throw fail.unavailable('the agent could not be reached');
        const domains = node.guests.map((serverId) => {
          const { power, fence } = node.held.get(serverId)!;
          return { serverId, state: power, fence };
        });
        return { domains, diskServerIds: node.guests, taps: [], unknown: [], libvirt: 'ok' };
      },
    }),
  });
});
afterAll(() => bed.close());

const findings = async () => {
  const { rows } = await operator.books({}, peer);
  const held = bed.placement.claims.present();
  const claims = held.map((id) => ({
    ...{ kind: 'allocation', id, serverId: id, node: bed.placement.claimOf(id)!, state: '', facts: {} },
  }));
  return audit([...rows, ...claims]);
};

it('tells a boot that failed on one node and went well on another, with the reason', async () => {
  bed.nodes.get('node-1')!.bootFailure = () => 'no such machine type';
  const id = await bed.active();
  bed.nodes.get('node-1')!.bootFailure = undefined;
  await bed.settled(id);
  const { events } = await operator.trace({ id }, peer);
  const lines = events.map((event) =>
    [event.what, event.outcome, event.node, event.detail].filter(Boolean).join(' | '),
  );
  expect(lines).toContain('server.create: boot | failed | node-1 | no such machine type');
  expect(lines).toContain('server.create: claim-2 | ok | node-2');
  expect(lines).toContain('server.create | ok');
  expect(lines.some((line) => line.startsWith('report: running | ok | node-2'))).toBe(true);
  expect(events.map((event) => event.atMs)).toEqual(events.map((event) => event.atMs).toSorted((a, b) => a - b));
  const task = await operator.trace({ id: events.find((event) => event.taskId)!.taskId }, peer);
  expect(task.events.length).toBeGreaterThan(5);
  expect((await operator.trace({ id: 'nothing' }, peer)).events).toEqual([]);
});

it('tells why a server is in error', async () => {
  const id = await bed.create(1 << 20);
  await bed.settled(id);
  const { events } = await operator.trace({ id }, peer);
  expect(events.at(-1)).toMatchObject({ what: 'server.create', outcome: 'failed' });
  expect(events.at(-1)!.detail).toContain('node-1 needs 1048576 MB of memory');
});

it('keeps books in which nothing is amiss, and finds what is', async () => {
  const id = await bed.active();
  await bed.settled(id);
  expect(await findings()).toEqual([]);
  const node = bed.nodes.get((await bed.server(id))!.host!)!;
  const held = node.held.get(id)!;
  node.held.delete(id);
  expect((await findings()).map((found) => found.code)).toEqual(['server-without-disk', 'server-without-domain']);
  node.held.set(id, held);
  await bed.db.exec(`update quota_usage set cores = cores + 3`);
  expect((await findings()).map((found) => found.code)).toEqual(['usage-differs']);
  expect(await bed.repos.standings.recount(bed.db)).toEqual(['p1']);
  expect(await findings()).toEqual([]);
  node.dead = true;
  expect((await findings()).map((found) => found.code)).toEqual(['node-not-audited']);
  node.dead = false;
});

it('tells what befell a guest by itself, and what was wrong with it', async () => {
  const id = await bed.active();
  await bed.settled(id);
  const { host } = (await bed.server(id))!;
  const { fence, seq, generation } = (await bed.repos.aims.find(bed.db, id, host!))!;
  const pair = { fence, seq, generation, heldFence: fence, heldSeq: seq, rebootCount: 0 };
  const said = { type: 'server', node: host!, serverId: id, event: true, outcome: 'done', ...pair } as const;
  const atMs = Date.now() + 1_000;
  await bed.say({ ...said, power: 'paused', error: 'no room', atMs }, `agent-${host}`, host!);
  await bed.say({ ...said, power: 'running', atMs: atMs + 1 }, `agent-${host}`, host!);
  const { events } = await operator.trace({ id }, peer);
  const [paused, goesOn] = events.filter(({ what }) => what.startsWith('event: ')).slice(-2);
  expect(paused).toMatchObject({ what: 'event: paused', outcome: 'failed', node: host });
  expect(paused!.detail).toContain('no room');
  expect(goesOn).toMatchObject({ what: 'event: running', outcome: 'ok' });
});

it('says how the service is', async () => {
  const { lines } = await operator.status({}, peer);
  expect(lines.map((line) => [line.name, line.state])).toEqual([
    ['database', 'ok'],
    ['operations', 'ok'],
    ['debts', 'ok'],
    ['node node-1', 'ok'],
    ['node node-2', 'ok'],
    ['queue compute.report', 'ok'],
  ]);
});
