/** Servers going away: whatever state they are in, whoever is away. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SERVER_START, SERVER_STOP } from '#services/compute/domain';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
beforeEach(async () => {
  bed = await Testbed.open();
});
afterEach(() => bed.close());

const gone = (id: string) => bed.until(async () => (await bed.server(id)) === undefined);

it('takes a running server away, with everything it held', async () => {
  await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  await bed.delete(id);
  await gone(id);
  expect(await bed.remains(id)).toEqual([]);
  expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });
  expect(await bed.servers.findDeleted(bed.db, id)).toMatchObject({ vmState: 'deleted' });
});

it('takes a server in error away', async () => {
  await bed.run();
  const id = await bed.create();
  await bed.until(async () => (await bed.server(id))?.vmState === 'error');
  await bed.delete(id);
  await gone(id);
  expect(await bed.remains(id)).toEqual([]);
});

it('takes a server away while it is being stopped', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  node.deaf = true;
  await bed.change(id, SERVER_STOP, 'stop');
  await bed.until(async () =>
    (await bed.tasksOf(id)).some((task) => task.kind === SERVER_STOP && task.steps.length > 1),
  );
  await bed.delete(id);
  node.deaf = false;
  await gone(id);
  expect(await bed.remains(id)).toEqual([]);
});

it('owes the rest to a node that is down, and keeps its claim until the node has confirmed', async () => {
  const node = await bed.node('node-1', 1024);
  await bed.run();
  const id = await bed.active(1024);
  await bed.fallSilent(node);
  await bed.delete(id);
  await gone(id);
  await bed.settled(id);
  const task = (await bed.tasksOf(id)).at(-1)!;
  expect(task.state).toBe('done');
  expect(task.debts.map((debt) => [debt.step, debt.creditor])).toEqual([
    ['clear', 'node-1'],
    ['claim', 'node-1'],
  ]);
  expect(bed.network.hostOf(id)).toBeUndefined();
  expect(bed.placement.claimOf(id)).toBe('node-1');
  expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });

  node.dead = false;
  await node.beat();
  await bed.until(() => bed.placement.claimOf(id) === undefined && bed.isOpen('node-1'));
  await bed.until(async () => (await bed.tasksOf(id)).at(-1)!.debts.every((debt) => debt.settledAt !== null));
  expect(node.guests).toEqual([]);
  await bed.repos.standings.sweep(bed.db, new Date(0));
  expect(await bed.remains(id)).toEqual([]);
});

it('owes nothing any more to a node that an operator took away', async () => {
  const node = await bed.node('node-1', 1024);
  await bed.run();
  const id = await bed.active(1024);
  const { nodes, aims } = bed.repos;
  const remove = () => bed.db.tx((tx) => nodes.remove(tx, 'node-1', bed.now()));
  expect(await remove()).toBe(false);
  node.deaf = true;
  await bed.delete(id);
  await bed.until(async () => (await aims.leaving(bed.db, id)).length === 1);
  expect(await remove()).toBe(false);
  await bed.fallSilent(node);
  await gone(id);
  expect(bed.placement.claimOf(id)).toBe('node-1');
  expect(await remove()).toBe(true);
  await bed.until(async () => (await bed.tasksOf(id)).at(-1)!.debts.every((debt) => debt.settledAt !== null));
  expect(bed.placement.claimOf(id)).toBeUndefined();
  expect(await aims.leaving(bed.db, id)).toEqual([]);
});

it('tries a removal again that the node could not do', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  node.removeFailure = 'device busy';
  await bed.delete(id);
  await bed.until(async () => (await bed.tasksOf(id)).at(-1)!.attempt > 1);
  expect((await bed.tasksOf(id)).at(-1)!.troubleCause).toBe('the server can not be removed from node-1: device busy');
  expect(bed.placement.claimOf(id)).toBe('node-1');
  node.removeFailure = undefined;
  await gone(id);
  expect(await bed.remains(id)).toEqual([]);
});

it('waits for a node that is silent and not known to be down', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  node.deaf = true;
  await bed.delete(id);
  await bed.until(async () => (await bed.tasksOf(id)).at(-1)!.steps.length > 0);
  expect(bed.placement.claimOf(id)).toBe('node-1');
  node.deaf = false;
  await gone(id);
});

it('stops and starts a server, and gives up when its node is down', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  await bed.change(id, SERVER_STOP, 'stop');
  await bed.until(async () => (await bed.server(id))?.vmState === 'stopped');
  expect(node.held.get(id)!.power).toBe('stopped');
  expect((await bed.server(id))!.powerState).toBe(4);
  await bed.fallSilent(node);
  await bed.change(id, SERVER_START, 'start');
  await bed.settled(id);
  const server = (await bed.server(id))!;
  expect(server).toMatchObject({ vmState: 'stopped', taskState: null });
  expect(server.fault!.message).toBe('The server could not be started: its node does not answer.');
  node.dead = false;
  await node.beat();
  await bed.until(() => bed.isOpen('node-1'));
  await bed.change(id, SERVER_START, 'start');
  await bed.until(async () => (await bed.server(id))?.vmState === 'active');
  expect((await bed.server(id))!.fault).toBeNull();
});
