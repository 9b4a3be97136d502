/** What an operator sees of operations that are not over, and what comes of his decisions. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Testbed } from '../testbed/testbed.fixture.js';
import { tasksService } from './tasks.grpc.js';

let bed: Testbed;
let tasks: ReturnType<typeof tasksService>;
/** The task at whose boot something goes wrong. */
let cursed = '';
const peer = { name: 'cli', requestId: '' };

beforeAll(async () => {
  bed = await Testbed.open();
  await bed.node('node-1');
  await bed.run(async ({ taskId, step }) => {
    if (taskId === cursed && step === 'boot') throw new Error('a curse');
  });
  tasks = tasksService(bed.db);
});
afterAll(() => bed.close());

/** A create that has got stuck at its boot. */
async function stuck(): Promise<{ id: string; serverId: string }> {
  const task = await bed.prepareCreate();
  cursed = task.id;
  await bed.insert(task);
  const { serverId } = task.input;
  await bed.until(async () => (await bed.tasksOf(serverId))[0]!.attempt > 0);
  await bed.db.exec(`update task set state = 'stuck', lease_until = null where id = $1`, [task.id]);
  return { id: task.id, serverId };
}
const find = async (id: string) => (await tasks.list({}, peer)).tasks.find((task) => task.id === id);

it('shows one that got stuck, with the reason, and none that is over', async () => {
  const { id, serverId } = await stuck();
  expect(await find(id)).toMatchObject({ kind: 'server.create', resource: `server/${serverId}`, state: 'stuck' });
  expect(await find(id)).toMatchObject({ step: 'boot', trouble: expect.stringContaining('a curse') });
  cursed = '';
  await tasks.resume({ id }, peer);
  await bed.until(async () => (await bed.server(serverId))?.vmState === 'active');
  await bed.settled(serverId);
  expect(await find(id)).toBeUndefined();
});

it('ends one as it is, after which its server can be deleted', async () => {
  const { id, serverId } = await stuck();
  await expect(tasks.abandon({ id, reason: ' ' }, peer)).rejects.toThrow('a reason is needed');
  await tasks.abandon({ id, reason: 'the node burnt' }, peer);
  expect((await bed.tasksOf(serverId))[0]).toMatchObject({ state: 'abandoned', note: 'the node burnt' });
  await bed.delete(serverId);
  await bed.until(async () => (await bed.server(serverId)) === undefined);
  expect(await bed.remains(serverId)).toEqual([]);
});

it('refuses to decide about any other', async () => {
  const id = await bed.active();
  await bed.settled(id);
  const [over] = await bed.tasksOf(id);
  await expect(tasks.resume({ id: over!.id }, peer)).rejects.toThrow('is done: only a stuck one needs a decision');
  await expect(tasks.abandon({ id: over!.id, reason: 'why not' }, peer)).rejects.toThrow('only a stuck one');
  for (const unknown of [randomUUID(), 'nonsense'])
    await expect(tasks.resume({ id: unknown }, peer)).rejects.toThrow('there is no task');
});
