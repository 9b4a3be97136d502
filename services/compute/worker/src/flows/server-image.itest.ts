/** Servers becoming images and lying on the shelf, while somebody deletes them or their node is away. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomIds } from '#libs/kernel';
import {
  imageOf,
  type MoveName,
  placeFor,
  SERVER_CREATE_BACKUP,
  SERVER_CREATE_IMAGE,
  SERVER_SHELVE,
  SERVER_UNSHELVE,
  serverKey,
  shelfOf,
} from '#services/compute/domain';
import { Shelf } from '../reconcile/shelf.js';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
let node: FakeNode;
beforeEach(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1');
  await bed.run();
});
afterEach(() => bed.close());

async function begin(id: string, kind: string, move: MoveName, more: object = {}): Promise<string> {
  const imageId = randomUUID();
  const server = (await bed.server(id))!;
  const type = kind === SERVER_CREATE_BACKUP ? 'backup' : 'snapshot';
  const wish = { imageId, name: 'i', type, metadata: {}, userId: 'u1', minRamMb: 0 } as const;
  const image = imageOf(server, type === 'backup' ? { ...wish, backupType: 'daily' } : wish);
  expect(await bed.servers.move(bed.db, id, move, bed.now())).toBeDefined();
  await bed.insert({
    id: randomUUID(),
    kind,
    key: serverKey(id),
    projectId: 'p1',
    input: { serverId: id, image, ...more },
  });
  return imageId;
}
const snapshot = (id: string) => begin(id, SERVER_CREATE_IMAGE, 'createImage');
const shelve = (id: string) => begin(id, SERVER_SHELVE, 'shelve');

async function unshelve(id: string): Promise<void> {
  const server = (await bed.server(id))!;
  const { imageId } = shelfOf(server)!;
  const place = server.vmState === 'shelved_offloaded' ? placeFor(server, {}) : null;
  expect(await bed.servers.move(bed.db, id, 'unshelve', bed.now())).toBeDefined();
  const input = { serverId: id, imageId, place, discardTaskId: randomUUID() };
  await bed.insert({ id: randomUUID(), kind: SERVER_UNSHELVE, key: serverKey(id), projectId: 'p1', input });
}

const is = (id: string, vmState: string) =>
  bed.until(async () => {
    const server = await bed.server(id);
    return server?.vmState === vmState && server.taskState === null;
  });
const gone = (id: string) => bed.until(async () => (await bed.server(id)) === undefined);
const failureOf = async (id: string) => (await bed.tasksOf(id)).at(-1)?.failure;

describe('an image', () => {
  it('is given up with its reason, and the server goes on', async () => {
    const id = await bed.active();
    node.exportFailure = 'the node has no room for a copy';
    const imageId = await snapshot(id);
    await bed.settled(id);
    expect(bed.images.statusOf(imageId)).toBe('discarded');
    expect(await bed.running(id)).toEqual([]);
    expect(JSON.stringify(await bed.tasksOf(id))).toContain('the node has no room for a copy');
    node.exportFailure = undefined;
    const second = await snapshot(id);
    await bed.settled(id);
    expect(bed.images.statusOf(second)).toBe('active');
  });

  it('is cleared away when its server is deleted while the node is at it', async () => {
    const id = await bed.active();
    node.deaf = true;
    const imageId = await snapshot(id);
    await bed.until(() => bed.images.statusOf(imageId) === 'queued');
    await bed.delete(id);
    node.deaf = false;
    await gone(id);
    await bed.settled(id);
    expect([bed.images.statusOf(imageId), await bed.remains(id)]).toEqual(['discarded', []]);
  });

  it('is not made while its node is down, nor later', async () => {
    const id = await bed.active();
    node.deaf = true;
    const imageId = await snapshot(id);
    await bed.until(() => bed.images.statusOf(imageId) === 'queued');
    await bed.fallSilent(node);
    await bed.settled(id);
    expect(bed.images.statusOf(imageId)).toBe('discarded');
    expect((await bed.server(id))?.taskState).toBe(null);
    expect(await failureOf(id)).toContain('does not answer');
  });

  it('is refused for good where the project may have no more', async () => {
    const { fail } = await import('#libs/kernel');
    const id = await bed.active();
    bed.images.refusal = fail.overQuota('Project is over its image quota.');
    await snapshot(id);
    await bed.settled(id);
    expect(JSON.stringify(await bed.tasksOf(id))).toContain('over its image quota');
    expect(await bed.running(id)).toEqual([]);
  });

  it('is one of the newest backups, or gone', async () => {
    const id = await bed.active();
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      made.push(await begin(id, SERVER_CREATE_BACKUP, 'createBackup', { backupType: 'daily', rotation: 2 }));
      await bed.settled(id);
    }
    expect(made.map((one) => bed.images.statusOf(one))).toEqual(['discarded', 'active', 'active']);
    const none = await begin(id, SERVER_CREATE_BACKUP, 'createBackup', { backupType: 'daily', rotation: 0 });
    await bed.settled(id);
    expect([...made, none].map((one) => bed.images.statusOf(one))).toEqual(Array(4).fill('discarded'));
  });
});

describe('a shelved server', () => {
  it('is on no node, keeps its ports and its quota, and comes back to another node', async () => {
    const id = await bed.active();
    const before = await bed.usage();
    const imageId = await shelve(id);
    await is(id, 'shelved_offloaded');
    const shelved = (await bed.server(id))!;
    expect(shelved).toMatchObject({ host: null, hypervisorId: null, power: 'absent' });
    expect(shelved.systemMetadata).toMatchObject({ shelved_image_id: imageId, shelved_host: 'node-1' });
    expect(shelved.addresses[0]?.fixedIps).toHaveLength(1);
    expect([bed.placement.claimOf(id), bed.network.hostOf(id), node.guests]).toEqual([undefined, '', []]);
    expect(await bed.usage()).toEqual(before);
    expect(bed.images.statusOf(imageId)).toBe('active');
    await bed.node('node-2');
    await bed.fallSilent(node);
    await unshelve(id);
    await is(id, 'active');
    expect(await bed.running(id)).toEqual([]);
    const back = (await bed.server(id))!;
    expect(back).toMatchObject({ host: 'node-2', power: 'running', addresses: shelved.addresses, systemMetadata: {} });
    await bed.until(() => bed.images.statusOf(imageId) === 'discarded');
    expect(bed.nodes.get('node-2')!.held.get(id)?.epoch).toBe(2);
  });

  it('takes its image with it when it is deleted', async () => {
    const id = await bed.active();
    const imageId = await shelve(id);
    await is(id, 'shelved_offloaded');
    await bed.delete(id);
    await gone(id);
    expect([bed.images.statusOf(imageId), await bed.remains(id)]).toEqual(['discarded', []]);
    expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });
  });

  it('lies on the shelf as before where no node takes it back', async () => {
    const id = await bed.active();
    const imageId = await shelve(id);
    await is(id, 'shelved_offloaded');
    node.bootFailure = () => 'no luck';
    await unshelve(id);
    await bed.settled(id);
    const server = (await bed.server(id))!;
    expect(server).toMatchObject({ vmState: 'shelved_offloaded', taskState: null, host: null, power: 'absent' });
    expect(server.fault?.message).toContain('node-1: no luck');
    expect(bed.images.statusOf(imageId)).toBe('active');
    expect([bed.placement.claimOf(id), bed.network.hostOf(id), node.guests]).toEqual([undefined, '', []]);
    node.bootFailure = undefined;
    await unshelve(id);
    await is(id, 'active');
    expect(await bed.running(id)).toEqual([]);
  });

  it('leaves a node that goes down meanwhile with a debt, and can come back elsewhere before that is settled', async () => {
    const id = await bed.active();
    const imageId = await shelve(id);
    node.removeFailure = 'busy';
    await bed.until(async () => (await bed.server(id))?.taskState === 'shelving_offloading');
    await bed.node('node-2');
    await bed.fallSilent(node);
    await is(id, 'shelved_offloaded');
    await bed.settled(id);
    expect((await bed.tasksOf(id)).at(-1)!.debts.map((debt) => debt.step)).toEqual(['clear', 'claim']);
    await unshelve(id);
    await is(id, 'active');
    expect((await bed.server(id))!.host).toBe('node-2');
    node.dead = false;
    node.removeFailure = undefined;
    await node.beat();
    await bed.until(async () => (await bed.tasksOf(id)).every((task) => task.debts.every((debt) => debt.settledAt)));
    expect(await bed.running(id)).toEqual([]);
    expect(bed.images.statusOf(imageId)).toBe('discarded');
  });

  it('is started again as it was where its disk can not be copied', async () => {
    const id = await bed.active();
    node.exportFailure = 'no room';
    const imageId = await shelve(id);
    await bed.settled(id);
    expect(node.held.get(id)?.power).toBe('running');
    expect([...(await bed.running(id)), bed.images.statusOf(imageId)]).toEqual(['discarded']);
  });

  it('is taken off its node once it has lain there long enough', async () => {
    const id = await bed.active();
    await shelve(id);
    await is(id, 'shelved_offloaded');
    await bed.db.exec(`update server set vm_state = 'shelved', host = 'node-1' where id = $1`, [id]);
    const shelf = (shelvedOffloadS: number) =>
      new Shelf({ db: bed.db, servers: bed.servers, shelvedOffloadS, ids: randomIds, now: () => bed.now() });
    await shelf(-1).clear();
    await shelf(3600).clear();
    expect(await bed.server(id)).toMatchObject({ vmState: 'shelved', taskState: null });
    bed.aheadMs += 3_601_000;
    await shelf(3600).clear();
    await is(id, 'shelved_offloaded');
  });
});
