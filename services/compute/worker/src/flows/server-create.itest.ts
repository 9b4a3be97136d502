/** Servers being made: on a node that works, on the next one, on none, and called off in the middle. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { NodePulseRepo } from '#services/compute/data';
import { PulseTeller } from '../nodes/pulse-teller.js';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
beforeEach(async () => {
  bed = await Testbed.open();
});
afterEach(() => bed.close());

const failsToBoot = () => 'no such machine type';

it('makes a server: active, with its addresses, its boot secrets forgotten', async () => {
  await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  expect(await bed.running(id)).toEqual([]);
  const server = (await bed.server(id))!;
  expect(server).toMatchObject({ host: 'node-1', taskState: null, powerState: 1, availabilityZone: 'nova' });
  expect(server.launchedAt).toBeInstanceOf(Date);
  expect(server.addresses).toMatchObject([{ network: 'demo', fixedIps: [{ address: '10.0.0.5', version: 4 }] }]);
  expect(server.securityGroups).toEqual([{ id: 'g', name: 'default' }]);
  expect(await bed.servers.secrets(bed.db, id)).toMatchObject({ adminPass: null, files: [] });
});

it('says for each node why none could take the server', async () => {
  await bed.node('node-1', 1024);
  await bed.node('node-2', 2048);
  await bed.run();
  const id = await bed.create(4096);
  await bed.settled(id);
  const server = (await bed.server(id))!;
  expect(server).toMatchObject({ vmState: 'error', taskState: null, host: null });
  expect(server.fault).toMatchObject({
    code: 500,
    message:
      'No valid host was found. node-1 needs 4096 MB of memory, 1024 MB free; node-2 needs 4096 MB of memory, 2048 MB free.',
  });
  expect(await bed.remains(id)).toEqual([]);
});

it('says so when there is no node at all', async () => {
  await bed.run();
  const id = await bed.create();
  await bed.settled(id);
  expect((await bed.server(id))!.fault?.message).toBe('No valid host was found. There are no nodes.');
});

it('goes to another node when the boot fails, and leaves nothing on the first', async () => {
  const first = await bed.node('node-1');
  await bed.node('node-2');
  first.bootFailure = failsToBoot;
  await bed.run();
  const id = await bed.active();
  expect(await bed.running(id)).toEqual([]);
  expect((await bed.server(id))!.host).toBe('node-2');
  const [task] = await bed.tasksOf(id);
  expect(task!.steps.find((step) => step.step === 'boot')!.output).toEqual({
    booted: false,
    node: 'node-1',
    why: 'no such machine type',
  });
  expect(bed.placement.usedOn('node-1')).toBe(0);
  const faring = await new NodePulseRepo().list(bed.db);
  expect(faring.map((node) => node.failedBuilds).sort()).toEqual([0, 1]);
  const teller = new PulseTeller({
    ...{ db: bed.db, pulses: new NodePulseRepo(), placement: bed.placement, now: () => new Date(), log: bed.log },
  });
  await teller.tell();
  expect([...bed.placement.pulses.values()].map((pulse) => pulse.failures).sort()).toEqual([0, 1]);
  bed.placement.pulses.clear();
  await teller.tell();
  expect(bed.placement.pulses.size).toBe(0);
});

it('tries three nodes and no more, and names what each said', async () => {
  for (const name of ['node-1', 'node-2', 'node-3', 'node-4']) (await bed.node(name)).bootFailure = failsToBoot;
  await bed.run();
  const id = await bed.create();
  await bed.settled(id);
  const server = (await bed.server(id))!;
  expect(server.vmState).toBe('error');
  expect(server.fault!.message).toBe('No valid host was found. It failed on 3 nodes: no such machine type (on 3).');
  expect(await bed.remains(id)).toEqual([]);
  expect(bed.nodes.get('node-4')!.acts).toEqual([]);
});

it('leaves a node that goes down in the middle, and clears it before it takes anything new', async () => {
  const first = await bed.node('node-1', 1024);
  await bed.node('node-2', 1024);
  first.bootMs = 300;
  await bed.run();
  const id = await bed.create(1024);
  await bed.until(() => first.acts.length > 0);
  await bed.fallSilent(first);
  await bed.until(async () => (await bed.server(id))?.vmState === 'active');
  expect((await bed.server(id))!.host).toBe('node-2');
  expect(first.guests).toEqual([id]);
  // The zombie still runs there: the node must not come back before it is gone.
  first.removeFailure = 'device busy';
  first.dead = false;
  await first.beat();
  await bed.until(() => first.acts.some((act) => act.power === 'absent'));
  expect(await bed.stateOf('node-1')).toBe('down');
  expect(bed.isOpen('node-1')).toBe(false);
  first.removeFailure = undefined;
  await bed.until(async () => {
    await first.beat();
    return (await bed.stateOf('node-1')) === 'up' && bed.isOpen('node-1');
  });
  expect(await bed.running(id)).toEqual([]);
  await bed.until(async () => (await bed.tasksOf(id))[0]!.debts.every((debt) => debt.settledAt !== null));
});

it('makes the server all the same when commands and reports are lost', async () => {
  const node = await bed.node('node-1');
  let lost = 0;
  bed.losesCommands = () => {
    lost += 1;
    return lost === 1;
  };
  node.doubled = true;
  await bed.run();
  const id = await bed.create();
  await bed.until(() => lost === 2);
  node.mute = true;
  await bed.until(() => node.guests.length === 1);
  node.mute = false;
  await bed.until(async () => (await bed.server(id))?.vmState === 'active');
  expect(node.acts).toHaveLength(1);
  expect(await bed.running(id)).toEqual([]);
});

const STEPS = ['claim', 'ports', 'aim', 'boot', 'activate'];
const MOMENTS = STEPS.flatMap((step) => (['before', 'acted', 'recorded'] as const).map((moment) => ({ step, moment })));
// A delete waits for the row that these hold until their transaction ends: they are tried at their record.
const DEADLOCKED = new Set([
  'aim acted',
  'activate acted',
  'aim before',
  'activate before',
  'begin before',
  'begin acted',
]);

it.each(MOMENTS.filter(({ step, moment }) => !DEADLOCKED.has(`${step} ${moment}`)))(
  'gets a delete through while building: $step $moment',
  async ({ step, moment }) => {
    await bed.node('node-1');
    const task = await bed.prepareCreate();
    const { serverId } = task.input;
    let struck = false;
    await bed.run(async (at) => {
      if (struck || at.taskId !== task.id || at.step !== step || at.moment !== moment) return;
      struck = true;
      await bed.delete(serverId);
    });
    await bed.insert(task);
    await bed.until(async () => struck && (await bed.server(serverId)) === undefined);
    await bed.settled(serverId);
    expect(await bed.remains(serverId)).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });
  },
);

it('gets a delete through while the node is at work and will not stop', async () => {
  const node = await bed.node('node-1');
  node.bootMs = 400;
  await bed.run();
  const id = await bed.create();
  await bed.until(() => node.acts.length === 1);
  await bed.delete(id);
  await bed.until(async () => (await bed.server(id)) === undefined);
  expect(await bed.remains(id)).toEqual([]);
  expect(node.acts.map((act) => act.power)).toEqual(['running', 'absent']);
});

it('gets a delete through when the create is stuck', async () => {
  await bed.node('node-1');
  const task = await bed.prepareCreate();
  await bed.run(async (at) => {
    if (at.taskId === task.id && at.step === 'boot') throw new Error('never');
  });
  await bed.insert(task);
  const { serverId } = task.input;
  await bed.until(async () => (await bed.tasksOf(serverId))[0]!.attempt > 0);
  await bed.db.exec(`update task set state = 'stuck', lease_until = null where id = $1`, [task.id]);
  await bed.delete(serverId);
  await bed.until(async () => (await bed.server(serverId)) === undefined);
  expect(await bed.remains(serverId)).toEqual([]);
  expect((await bed.tasksOf(serverId))[0]!.state).toBe('abandoned');
});

it('refuses the guest of a worker that was overtaken', async () => {
  const node = await bed.node('node-1');
  node.bootFailure = failsToBoot;
  await bed.run();
  const id = await bed.create();
  await bed.settled(id);
  expect(await bed.remains(id)).toEqual([]);
  // A late command of the first lease: the node asks what it is to do, and is told of nothing.
  node.bootFailure = undefined;
  node.command({ type: 'ensure', serverId: id, fence: 1, seq: 1, generation: 1 });
  await bed.until(() => true);
  expect(node.guests).toEqual([]);
});
