/** Resizing on the node where the server is: claims that are never too small, a way back, and decisions that nobody makes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomIds } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { SERVER_STOP } from '#services/compute/domain';
import { ResizeConfirmer } from '../reconcile/resize-confirm.js';
import { askDecision, askResize, BIGGER, misshapen } from '../testbed/resize.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

const WAS = { memoryMb: 512, diskGb: 1 };
const IS = { memoryMb: 1024, diskGb: 3 };

let bed: Testbed;
beforeEach(async () => {
  bed = await Testbed.open();
});
afterEach(() => bed.close());

const idle = (id: string) => bed.until(async () => (await bed.server(id))?.taskState === null);
const spec = (serverId: string) => bed.service.getSpec({ serverId, node: '' }, { name: 'node-1', requestId: '' });
async function resized(change: object = BIGGER): Promise<string> {
  const id = await bed.active();
  await bed.insert(await askResize(bed, id, change));
  await bed.until(async () => (await bed.server(id))?.vmState === 'resized');
  return id;
}

describe('a resize', () => {
  it('grows the claim first, and counts for the larger until it is decided', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const id = await bed.active();
    node.deaf = true;
    await bed.insert(await askResize(bed, id));
    await bed.until(async () => (await spec(id)).undo === 'keep');
    expect(bed.placement.memoryOf(id)).toBe(1024);
    expect(await spec(id)).toMatchObject({ vcpus: 2, memoryMb: 1024, diskGb: 3, undoEpoch: 1, power: 'running' });
    node.deaf = false;
    await bed.until(async () => (await bed.server(id))?.vmState === 'resized');
    expect(await misshapen(bed, id, { ...IS, kept: true })).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 2, ram: 1024 });
    await bed.insert(await askDecision(bed, id, 'confirmResize'));
    await bed.until(async () => (await bed.server(id))?.vmState === 'active');
    expect(await misshapen(bed, id, IS)).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 2, ram: 1024 });
  });

  it('to a smaller flavor holds what it had until it is confirmed', async () => {
    await bed.node('node-1');
    await bed.run();
    const id = await resized({ id: '8', memoryMb: 256 });
    expect(await misshapen(bed, id, { memoryMb: 256, diskGb: 1, claimMb: 512, kept: true })).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 1, ram: 512 });
    await bed.insert(await askDecision(bed, id, 'confirmResize'));
    await bed.until(async () => (await bed.server(id))?.vmState === 'active');
    expect(await misshapen(bed, id, { memoryMb: 256, diskGb: 1 })).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 1, ram: 256 });
  });

  it('goes back to what it was', async () => {
    await bed.node('node-1');
    await bed.run();
    const id = await resized();
    await bed.insert(await askDecision(bed, id, 'revertResize'));
    await bed.until(async () => (await bed.server(id))?.vmState === 'active');
    expect(await misshapen(bed, id, WAS)).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 1, ram: 512 });
    expect((await spec(id)).undo).toBe('');
  });

  it.each(['confirmResize', 'revertResize'] as const)('leaves a stopped server stopped: %s', async (decision) => {
    const node = await bed.node('node-1');
    await bed.run();
    const id = await bed.active();
    await bed.change(id, SERVER_STOP, 'stop');
    await idle(id);
    await bed.insert(await askResize(bed, id));
    await bed.until(async () => (await bed.server(id))?.vmState === 'resized');
    expect(node.held.get(id)?.power).toBe('stopped');
    await bed.insert(await askDecision(bed, id, decision));
    await bed.until(async () => (await bed.server(id))?.vmState === 'stopped');
    expect(node.held.get(id)?.power).toBe('stopped');
    expect(await misshapen(bed, id, decision === 'confirmResize' ? IS : WAS)).toEqual([]);
  });

  it('is confirmed without starting a guest that has shut itself down, and starts one that its node lost', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const [own, lost] = [await resized({ id: '8', memoryMb: 600 }), await resized({ id: '8', memoryMb: 600 })];
    await node.happens(own, 'stopped');
    // Before the node has told of it: afterwards it is started without anybody's asking.
    node.held.get(lost)!.power = 'stopped';
    for (const id of [own, lost]) await bed.insert(await askDecision(bed, id, 'confirmResize'));
    await bed.until(async () => (await bed.server(own))?.vmState === 'stopped');
    await bed.until(async () => (await bed.server(lost))?.vmState === 'active');
    expect([node.held.get(own)!.power, node.held.get(lost)!.power]).toEqual(['stopped', 'running']);
  });

  it('to what its node has no room for changes nothing and says why', async () => {
    const node = await bed.node('node-1', 1024);
    await bed.run();
    const id = await bed.active();
    const acts = node.acts.length;
    await bed.insert(await askResize(bed, id, { id: '7', memoryMb: 4096 }));
    await idle(id);
    expect(await bed.server(id)).toMatchObject({
      vmState: 'active',
      flavorId: '1',
      resize: null,
      fault: { message: expect.stringMatching(/^No valid host was found\. .*4096 MB of memory/) },
    });
    expect(node.acts).toHaveLength(acts);
    expect(await misshapen(bed, id, WAS)).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 1, ram: 512 });
  });

  it('that the node can not start goes back', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const id = await bed.active();
    node.bootFailure = ({ memoryMb }) => (memoryMb > 512 ? 'no such machine' : undefined);
    await bed.insert(await askResize(bed, id));
    await idle(id);
    const server = await bed.server(id);
    expect(server).toMatchObject({ vmState: 'active', fault: { message: expect.stringContaining('no such machine') } });
    expect(await misshapen(bed, id, WAS)).toEqual([]);
  });

  it('is deleted at any moment with all it counts for', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const waiting = await resized();
    const under = await bed.active();
    node.deaf = true;
    await bed.insert(await askResize(bed, under));
    await bed.until(async () => (await spec(under)).undo === 'keep');
    await bed.delete(under);
    await bed.delete(waiting);
    node.deaf = false;
    await bed.until(async () => !(await bed.server(under)) && !(await bed.server(waiting)));
    expect([...(await bed.remains(under)), ...(await bed.remains(waiting))]).toEqual([]);
    expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });
  });
});

describe('a node that is down', () => {
  it('does not hold up a confirmation', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const id = await resized({ id: '8', memoryMb: 256 });
    await bed.fallSilent(node);
    await bed.insert(await askDecision(bed, id, 'confirmResize'));
    await bed.until(async () => (await bed.server(id))?.taskState === null);
    expect(await bed.server(id)).toMatchObject({ vmState: 'active', resize: null });
    expect(bed.placement.memoryOf(id)).toBe(256);
  });

  it('owes the larger claim after a revert, and the server is in error', async () => {
    const node = await bed.node('node-1');
    await bed.run();
    const id = await resized();
    await bed.fallSilent(node);
    await bed.insert(await askDecision(bed, id, 'revertResize'));
    await bed.settled(id);
    expect(await bed.server(id)).toMatchObject({ vmState: 'error', flavorId: '1', resize: null, undo: 'restore' });
    expect(bed.placement.memoryOf(id)).toBe(1024);
    const task = (await bed.tasksOf(id)).at(-1)!;
    expect(task.debts.map(({ step, creditor }) => [step, creditor])).toEqual([['claim', 'node-1']]);
    expect(await bed.usage()).toEqual({ instances: 1, cores: 1, ram: 512 });
  });
});

describe('a resize that nobody decides about', () => {
  const confirmer = (windowS: number) =>
    new ResizeConfirmer({
      ...{ db: bed.db, servers: bed.servers, windowS, ids: randomIds, now: () => bed.now() },
      log: openLog('test', 'silent'),
    });

  it('is confirmed after a while, once, and never where nobody wants that', async () => {
    await bed.node('node-1');
    await bed.run();
    const id = await resized();
    await confirmer(0).scan();
    await confirmer(3_600).scan();
    expect(await bed.server(id)).toMatchObject({ vmState: 'resized', taskState: null });
    bed.aheadMs += 3_600_000;
    await Promise.all([confirmer(3_600).scan(), confirmer(3_600).scan()]);
    await bed.until(async () => (await bed.server(id))?.vmState === 'active');
    expect(await misshapen(bed, id, IS)).toEqual([]);
    expect((await bed.tasksOf(id)).filter(({ kind }) => kind === 'server.confirm-resize')).toHaveLength(1);
  });
});
