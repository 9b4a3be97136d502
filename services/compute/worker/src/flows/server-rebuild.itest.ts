/** Rebuilding on the node where the server is: what the node is told, what it refuses, and how to go on from there. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { insertTask } from '#libs/platform/flow';
import { SERVER_REBUILD, SERVER_STOP, type ServerRebuildInput, serverKey } from '#services/compute/domain';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
beforeEach(async () => {
  bed = await Testbed.open();
});
afterEach(() => bed.close());

/** As the api asks. */
async function rebuild(serverId: string, more: Partial<ServerRebuildInput> = {}): Promise<string> {
  const imageId = randomUUID();
  await bed.db.tx(async (tx) => {
    const { imageId: old, image } = (await bed.servers.lock(tx, serverId))!;
    const moved = await bed.servers.move(tx, serverId, 'rebuild', bed.now(), {
      imageId,
      secrets: { adminPass: 'new' },
    });
    const input: ServerRebuildInput = {
      ...{ serverId, generation: moved!.generation, power: 'running', size: { vcpus: 1, memoryMb: 512, diskGb: 1 } },
      ...{ requiredTraits: [], forbiddenTraits: [], before: { imageId: old, image } },
      ...more,
    };
    await insertTask(tx, { id: randomUUID(), kind: SERVER_REBUILD, key: serverKey(serverId), input });
  });
  return imageId;
}
const spec = (serverId: string) => bed.service.getSpec({ serverId, node: '' }, { name: 'node-1', requestId: '' });
const idle = (id: string) => bed.until(async () => (await bed.server(id))?.taskState === null);

it('names the image until the node has made the disk, and never again', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  expect((await spec(id)).image).toBeUndefined();
  node.deaf = true;
  const imageId = await rebuild(id);
  await bed.until(async () => (await spec(id)).diskEpoch === 2);
  expect(await spec(id)).toMatchObject({ power: 'running', adminPass: 'new', image: { imageId } });
  node.deaf = false;
  await idle(id);
  expect(await bed.running(id)).toEqual([]);
  expect(node.held.get(id)!.epoch).toBe(2);
  const after = await spec(id);
  expect([after.image, after.adminPass, after.diskEpoch]).toEqual([undefined, '', 2]);
});

it('begins the disks anew that it is told to, and no others', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  const [root, ephemeral, swap] = await bed.servers.devices.of(bed.db, id);
  const renewals = { [root!.id]: randomUUID(), [swap!.id]: randomUUID() };
  await rebuild(id, { renewals });
  await idle(id);
  const after = await spec(id);
  expect(after.rootDisk?.diskId).toBe(renewals[root!.id]);
  expect(after.localDisks.map(({ diskId }) => diskId)).toEqual([ephemeral!.id, renewals[swap!.id]]);
  expect([...node.held.get(id)!.files].sort()).toEqual([ephemeral!.id, renewals[swap!.id]].sort());
});

it('gives encrypted disks keys of their own, which their node alone is told, and others with each new beginning', async () => {
  await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  const asked = async (node: string) =>
    (await bed.service.getDiskKeys({ serverId: id, node: '' }, { name: node, requestId: '' })).keys;
  expect(await asked('node-1')).toEqual({});
  const specs = JSON.stringify({ 'hw:ephemeral_encryption': 'true' });
  await bed.db.exec(`update server set flavor = jsonb_set(flavor, '{extraSpecs}', $2::jsonb) where id = $1`, [
    id,
    specs,
  ]);
  const begin = async () => {
    const renewals = Object.fromEntries(
      (await bed.servers.devices.of(bed.db, id)).map((one) => [one.id, randomUUID()]),
    );
    await rebuild(id, { renewals });
    await idle(id);
    return Object.values(renewals).sort();
  };
  const ids = await begin();
  const first = await asked('node-1');
  expect(Object.keys(first).sort()).toEqual(ids);
  expect(new Set(Object.values(first)).size).toBe(3);
  const told = await spec(id);
  expect([told.rootDisk!.encrypted, ...told.localDisks.map(({ encrypted }) => encrypted)]).toEqual([true, true, true]);
  const dump = JSON.stringify(await bed.db.query('select d::text, t::text from block_device d, task t'));
  for (const key of Object.values(first)) {
    expect(Buffer.from(computeV1.ServerSpec.encode(told).finish()).includes(key)).toBe(false);
    expect(dump).not.toContain(key);
  }
  await begin();
  const second = Object.values(await asked('node-1'));
  expect(second.filter((key) => Object.values(first).includes(key))).toEqual([]);
  expect(await asked('node-2')).toEqual({});
  await bed.delete(id);
  await bed.until(async () => !(await bed.server(id)));
  expect(await asked('node-1')).toEqual({});
});

it('leaves a stopped server stopped', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  await bed.change(id, SERVER_STOP, 'stop');
  await idle(id);
  await rebuild(id, { power: 'stopped' });
  await idle(id);
  expect(await bed.server(id)).toMatchObject({ vmState: 'stopped', diskEpoch: 2, diskMade: 2 });
  expect(node.held.get(id)).toMatchObject({ epoch: 2, power: 'stopped' });
});

it('ends in error where the node can not boot it, and is mended by another rebuild', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  const usage = await bed.usage();
  node.bootFailure = () => 'the image is broken';
  await rebuild(id);
  await idle(id);
  const failed = await bed.server(id);
  expect(failed).toMatchObject({
    vmState: 'error',
    fault: { message: expect.stringContaining('the image is broken') },
  });
  node.bootFailure = undefined;
  await rebuild(id);
  await idle(id);
  expect(await bed.running(id)).toEqual([]);
  expect(await bed.server(id)).toMatchObject({ diskEpoch: 3, diskMade: 3, fault: null });
  expect(await bed.usage()).toEqual(usage);
});

it('keeps its disk and names its image again where the node does not have what the new one needs', async () => {
  const node = await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  const { imageId } = (await bed.server(id))!;
  await rebuild(id, { requiredTraits: ['HW_CPU_X86_SGX'] });
  await idle(id);
  expect(await bed.server(id)).toMatchObject({
    vmState: 'error',
    imageId,
    diskEpoch: 1,
    fault: { message: "No valid host was found. The server's own node lacks the required trait HW_CPU_X86_SGX." },
  });
  expect(node.held.get(id)).toMatchObject({ epoch: 1, power: 'running' });
  expect(bed.placement.claimOf(id)).toBe('node-1');
});

it('goes on without an image that is gone', async () => {
  await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  bed.images.gone = true;
  await bed.db.exec('update server set disk_epoch = 2 where id = $1', [id]);
  expect((await spec(id)).image).toBeUndefined();
});
