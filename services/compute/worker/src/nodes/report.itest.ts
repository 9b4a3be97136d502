/** What nodes say: believed of themselves alone, in any order, as often as it comes. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NodeReport } from '#libs/contract';
import { SERVER_REBOOT } from '#services/compute/domain';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
let node: FakeNode;
let other: FakeNode;
beforeAll(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1', 1 << 20);
  other = await bed.node('node-2', 1);
  await bed.run();
});
afterAll(() => bed.close());

type Said = Extract<NodeReport, { type: 'server' }>;

const said = (serverId: string, more: Partial<Said>): Said => ({
  ...{
    type: 'server',
    node: 'node-1',
    serverId,
    fence: 1_000_000,
    seq: 1,
    generation: 1,
    power: 'absent',
    event: false,
  },
  ...{ outcome: 'done', heldFence: 1, heldSeq: 1, rebootCount: 0, atMs: 1_800_000_000_000 },
  ...more,
});
const latest = (id: string) => bed.repos.reports.latest(bed.db, id, 'node-1');

/** The pair of a desired state that the node has not been told of by a command. */
async function nextPair(serverId: string): Promise<{ fence: number; seq: number }> {
  const { fence, seq, generation } = (await bed.repos.aims.find(bed.db, serverId, 'node-1'))!;
  const next = { fence, seq: seq + 1 };
  await bed.repos.aims.set(bed.db, { serverId, node: 'node-1', power: 'running', generation, ...next }, new Date());
  return next;
}

it('refuses what a node says of another node, under another user or another key', async () => {
  const id = await bed.active();
  const before = await latest(id);
  await bed.say(said(id, {}), 'agent-node-2');
  await bed.say(said(id, {}), '');
  await bed.say(said(id, {}), 'agent-node-1', 'node-2');
  await bed.say(said(id, { node: 'node-2' }));
  await bed.say({ ...said(id, {}), power: 'gone' } as unknown as NodeReport);
  await bed.say(said('no-uuid', {}));
  // Its own server, and a pair that it was never told.
  await bed.say(said(id, {}));
  expect(await latest(id)).toEqual(before);
  expect(await bed.repos.reports.latest(bed.db, id, 'node-2')).toBeUndefined();
  expect(await bed.running(id)).toEqual([]);
});

it('takes doubled and reordered reports as one', async () => {
  const id = await bed.active();
  const { fence, seq } = await nextPair(id);
  const at = (atMs: number, more: Partial<Said>) => bed.say(said(id, { fence, seq, power: 'running', atMs, ...more }));
  await at(300, { outcome: 'busy', power: 'stopped' });
  await at(200, { outcome: 'busy' });
  expect(await latest(id)).toMatchObject({ outcome: 'busy', power: 'stopped', atMs: 300 });
  await at(250, { outcome: 'done' });
  expect(await latest(id)).toMatchObject({ outcome: 'done', power: 'stopped', atMs: 300 });
  await at(400, { outcome: 'busy' });
  await at(250, { outcome: 'failed', error: 'late' });
  expect(await latest(id)).toMatchObject({ outcome: 'done', power: 'running', error: null });
  await bed.say(said(id, { fence, seq: seq - 1, power: 'absent', atMs: 500 }));
  expect(await latest(id)).toMatchObject({ seq, power: 'running' });
});

it('lets a failure be overcome, and nothing overcome what is done', async () => {
  const id = await bed.active();
  const { fence, seq } = await nextPair(id);
  const at = (atMs: number, more: Partial<Said>) => bed.say(said(id, { fence, seq, power: 'stopped', atMs, ...more }));
  await at(1, { outcome: 'failed', error: 'device busy' });
  expect(await latest(id)).toMatchObject({ outcome: 'failed', error: 'device busy' });
  await at(2, { outcome: 'done' });
  expect(await latest(id)).toMatchObject({ outcome: 'done', error: null });
});

it('follows a guest that ends and begins by itself', async () => {
  const id = await bed.active();
  await node.happens(id, 'stopped');
  await bed.until(async () => (await bed.server(id))?.vmState === 'stopped');
  expect(await bed.server(id)).toMatchObject({ power: 'stopped', powerState: 4, taskState: null });
  expect(await bed.repos.aims.find(bed.db, id, 'node-1')).toMatchObject({ power: 'stopped' });
  await node.happens(id, 'running');
  await bed.until(async () => (await bed.server(id))?.vmState === 'active');
});

it('leaves a guest alone that changes while an operation is at work', async () => {
  const id = await bed.active();
  node.deaf = true;
  await bed.change(id, SERVER_REBOOT, 'rebootHard', 'HARD');
  await node.happens(id, 'stopped');
  expect(await bed.server(id)).toMatchObject({ vmState: 'active', taskState: 'rebooting_hard' });
  node.deaf = false;
  await bed.until(async () => (await bed.server(id))?.taskState === null);
  expect(await bed.server(id)).toMatchObject({ vmState: 'active' });
  expect(node.held.get(id)).toMatchObject({ power: 'running', rebootCount: 1 });
});

it('starts again what was lost with its node, and nothing that was stopped', async () => {
  const runs = await bed.active();
  const stopped = await bed.active();
  await node.happens(stopped, 'stopped');
  await bed.until(async () => (await bed.server(stopped))?.vmState === 'stopped');
  node.reboot();
  await node.beat();
  await bed.until(() => node.held.get(runs)!.power === 'running');
  await bed.settled(runs);
  expect(await bed.server(runs)).toMatchObject({ vmState: 'active', taskState: null });
  expect(node.held.get(stopped)!.power).toBe('stopped');
});

it.each(['resized', 'rescued'] as const)(
  'starts again what was lost while it was %s, and leaves it so',
  async (vmState) => {
    const id = await bed.active();
    await bed.settled(id);
    const image = { name: 'r', diskFormat: 'raw', size: 1, virtualSize: 1, sha256: '', properties: {} };
    const rescue = JSON.stringify({ imageId: randomUUID(), image, epoch: 3, made: true });
    await bed.db.exec(
      `update server set vm_state = $2, rescue = case when $2 = 'rescued' then $3::jsonb end,
       resize = case when $2 = 'resized' then jsonb_build_object('from', flavor, 'to', flavor, 'vmState', 'active', 'at', null) end
      where id = $1`,
      [id, vmState, rescue],
    );
    node.reboot();
    await bed.until(async () => {
      await node.beat();
      return node.held.get(id)!.power === 'running';
    });
    await bed.settled(id);
    expect(await bed.server(id)).toMatchObject({ vmState, taskState: null, fault: null });
    expect(node.held.get(id)!.rescue).toBe(vmState === 'rescued' ? 3 : 0);
    await node.happens(id, 'stopped');
    await bed.reconciler.settle(id);
    expect([await bed.server(id), node.held.get(id)!.power]).toMatchObject([{ vmState, taskState: null }, 'stopped']);
  },
);

it('asks a node for everything only when its digest differs', async () => {
  await bed.until(async () => {
    await node.beat();
    return true;
  });
  let asked = 0;
  const full = node.full.bind(node);
  node.full = async () => {
    asked += 1;
    await full();
  };
  await node.beat();
  await node.beat();
  expect(asked).toBe(0);
});

it('tells a node of its own servers alone', async () => {
  const id = await bed.active();
  const peer = (name: string) => ({ name, requestId: '' });
  const ask = async (name: string, as = '') => bed.service.getSpec({ serverId: id, node: as }, peer(name));
  expect(await ask('node-1')).toMatchObject({ serverId: id, power: 'running', adminPass: '' });
  await expect(ask('node-2')).rejects.toMatchObject({ kind: 'notFound' });
  await expect(ask('node-2', 'node-1')).rejects.toMatchObject({ kind: 'forbidden' });
  await expect(ask('simulated', 'node-1')).rejects.toMatchObject({ kind: 'forbidden' });
  await expect(ask('simulated', 'sim-001')).rejects.toMatchObject({ kind: 'notFound' });
  const listed = await bed.service.listDesired({ node: '' }, peer('node-2'));
  expect(listed.servers).toEqual([]);
  expect(other.guests).toEqual([]);
});

it('raises the fence above what a node has seen, unless that is absurd', async () => {
  const last = async () => (await bed.db.one<{ v: number }>('select last_value as v from flow_fence'))!.v;
  await node.beat(5_000_000);
  expect(await last()).toBe(5_000_000);
  await node.beat(Number.MAX_SAFE_INTEGER - 1);
  expect(await last()).toBe(5_000_000);
  const id = await bed.active();
  expect(node.held.get(id)!.fence).toBeGreaterThan(5_000_000);
});
