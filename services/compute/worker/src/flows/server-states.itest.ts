/** Nothing gets stuck: from any pair of states a server can be deleted and leaves nothing, and set right by an operator. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertTask } from '#libs/platform/flow';
import {
  imageOf,
  type MoveName,
  SERVER_CHANGE_PASSWORD,
  SERVER_CREATE_IMAGE,
  SERVER_PAUSE,
  SERVER_REBOOT,
  SERVER_REBUILD,
  SERVER_RESCUE,
  SERVER_RESUME,
  SERVER_SHELVE,
  SERVER_START,
  SERVER_STOP,
  SERVER_SUSPEND,
  SERVER_TRIGGER_CRASH_DUMP,
  SERVER_UNPAUSE,
  type Server,
  serverKey,
  TASK_STATES,
  type TaskState,
  VM_STATES,
  type VmState,
} from '#services/compute/domain';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { askResize } from '../testbed/resize.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

const STATES = VM_STATES.filter((state) => state !== 'deleted');
const TASKS: readonly (TaskState | null)[] = [null, ...TASK_STATES];
const IMAGE = { name: 'r', diskFormat: 'raw', size: 1, virtualSize: 1, sha256: '', properties: {} };

let bed: Testbed;
let node: FakeNode;
beforeAll(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1', 1 << 20);
  await bed.run();
});
afterAll(() => bed.close());

/** A server whose row says so, its guest being as it would be. */
async function put(vmState: VmState, taskState: TaskState | null): Promise<string> {
  const id = await bed.active();
  const guests: Partial<Record<VmState, 'paused' | 'suspended' | 'stopped'>> = {
    ...{ paused: 'paused', suspended: 'suspended', stopped: 'stopped', shelved: 'stopped' },
  };
  const power = guests[vmState] ?? 'running';
  const resize = `jsonb_build_object('from', flavor, 'to', flavor, 'vmState', 'active', 'at', null)`;
  const rescue = JSON.stringify({ imageId: randomUUID(), image: IMAGE, epoch: 3, made: true });
  await bed.settled(id);
  await bed.db.exec(
    `update server set vm_state = $2, task_state = $3, power = $4, resize = case when $2 = 'resized' then ${resize} end,
       rescue = case when $2 = 'rescued' then $5::jsonb end where id = $1`,
    [id, vmState, taskState, power, rescue],
  );
  await bed.db.exec('update server_node set power = $2 where server_id = $1', [id, power]);
  node.held.get(id)!.power = power;
  return id;
}
const gone = (id: string) => bed.until(async () => (await bed.server(id)) === undefined, 30_000);
/** As the api does it, also while one is under way that has no task any more. */
const remove = (id: string) => bed.delete(id);

describe.each(STATES)('a server that is %s', (vmState) => {
  it('goes, whatever is under way, and leaves nothing', async () => {
    const ids = await Promise.all(TASKS.filter((task) => task !== 'deleting').map((task) => put(vmState, task)));
    await Promise.all(ids.map((id) => remove(id)));
    await Promise.all(ids.map(gone));
    for (const id of ids) expect([id, await bed.remains(id)]).toEqual([id, []]);
  });

  it('that an administrator calls active or broken can be used again, or deleted', async () => {
    for (const move of ['resetToActive', 'resetToError'] as const) {
      const id = await put(vmState, 'rebuilding');
      expect(await bed.servers.move(bed.db, id, move, bed.now())).toBeDefined();
      await bed.reconciler.settle(id);
      await bed.settled(id);
      const { vmState: now, taskState } = (await bed.server(id))!;
      expect(taskState).toBeNull();
      const kind = now === 'stopped' ? SERVER_START : SERVER_REBOOT;
      await bed.change(id, kind, kind === SERVER_START ? 'start' : 'rebootHard', 'HARD');
      await bed.settled(id);
      expect([vmState, move, await bed.running(id)]).toEqual([vmState, move, []]);
      await remove(id);
      await gone(id);
      expect([id, await bed.remains(id)]).toEqual([id, []]);
    }
  });
});

/** Operations on a server that runs, as the api begins them. */
const MIDWAY: readonly { kind: string; move: MoveName; input?: (server: Server) => object }[] = [
  { kind: SERVER_STOP, move: 'stop' },
  { kind: SERVER_REBOOT, move: 'rebootHard', input: () => ({ kind: 'HARD', rebootCount: 1 }) },
  { kind: SERVER_PAUSE, move: 'pause' },
  { kind: SERVER_SUSPEND, move: 'suspend' },
  {
    ...{ kind: SERVER_REBUILD, move: 'rebuild' },
    input: () => ({
      ...{ power: 'running', size: { vcpus: 1, memoryMb: 512, diskGb: 1 }, requiredTraits: [], forbiddenTraits: [] },
      before: { imageId: null, image: null },
    }),
  },
  {
    ...{ kind: SERVER_RESCUE, move: 'rescue' },
    input: () => ({ rescue: { imageId: randomUUID(), image: IMAGE, epoch: 9, made: false } }),
  },
  { kind: SERVER_CREATE_IMAGE, move: 'createImage', input: draft },
  { kind: SERVER_SHELVE, move: 'shelve', input: draft },
  { kind: SERVER_CHANGE_PASSWORD, move: 'changePassword' },
  { kind: SERVER_TRIGGER_CRASH_DUMP, move: 'triggerCrashDump' },
];

function draft(server: Server): object {
  const wish = { imageId: randomUUID(), name: 'i', type: 'snapshot', metadata: {}, userId: 'u1', minRamMb: 0 } as const;
  return { image: imageOf(server, wish) };
}

async function begin({ kind, move, input }: (typeof MIDWAY)[number], id: string): Promise<void> {
  const server = (await bed.server(id))!;
  await bed.db.tx(async (tx) => {
    const moved = (await bed.servers.move(tx, id, move, bed.now()))!;
    const { generation } = moved;
    const task = { id: randomUUID(), kind, key: serverKey(id), projectId: 'p1', userId: 'u1' };
    await insertTask(tx, { ...task, input: { serverId: id, generation, ...input?.(server) } });
  });
}
const atWork = (id: string) =>
  bed.until(async () => (await bed.tasksOf(id)).at(-1)!.steps.some(({ step }) => step === 'aim'));

it('goes in the midst of any operation', async () => {
  const ids = await Promise.all([...MIDWAY, undefined].map(() => bed.active()));
  await Promise.all(ids.map((id) => bed.settled(id)));
  node.deaf = true;
  await Promise.all(MIDWAY.map((one, n) => begin(one, ids[n]!)));
  await bed.insert(await askResize(bed, ids.at(-1)!));
  await Promise.all(ids.map(atWork));
  await Promise.all(ids.map((id) => remove(id)));
  node.deaf = false;
  await Promise.all(ids.map(gone));
  for (const id of ids) {
    await bed.settled(id);
    expect([(await bed.tasksOf(id)).map(({ kind, state }) => [kind, state]), await bed.remains(id)]).toEqual([
      [
        ['server.create', 'done'],
        [expect.any(String), 'undone'],
        ['server.delete', 'done'],
      ],
      [],
    ]);
  }
  expect(await bed.usage()).toEqual({ instances: 0, cores: 0, ram: 0 });
});

describe('a hard reboot', () => {
  const overtaken = [
    [SERVER_REBOOT, 'rebootSoft', 'active'],
    [SERVER_REBOOT, 'rebootHard', 'active'],
    [SERVER_PAUSE, 'pause', 'active'],
    [SERVER_UNPAUSE, 'unpause', 'paused'],
    [SERVER_SUSPEND, 'suspend', 'active'],
    [SERVER_RESUME, 'resume', 'suspended'],
  ] as const;

  it.each(overtaken)('follows %s that does not come to its end (%s)', async (kind, move, from) => {
    const id = await put(from, null);
    node.deaf = true;
    await bed.change(id, kind, move, kind === SERVER_REBOOT ? 'SOFT' : undefined);
    await atWork(id);
    await bed.overtake(id);
    const ended = async () => (await bed.tasksOf(id)).find((task) => task.kind === kind)?.state === 'undone';
    await bed.until(ended);
    expect((await bed.server(id))?.taskState).toBe('rebooting_hard');
    node.deaf = false;
    await bed.settled(id);
    const { vmState, taskState, fault } = (await bed.server(id))!;
    expect({ vmState, taskState, fault }).toEqual({ vmState: 'active', taskState: null, fault: null });
    expect([(await bed.tasksOf(id)).at(-1)?.state, bed.guest(id).power]).toEqual(['done', 'running']);
    await remove(id);
    await gone(id);
  });

  it('that waits is dropped for a delete', async () => {
    const id = await put('active', null);
    node.deaf = true;
    await bed.change(id, SERVER_REBOOT, 'rebootSoft', 'SOFT');
    await atWork(id);
    await bed.overtake(id);
    await remove(id);
    node.deaf = false;
    await gone(id);
    await bed.settled(id);
    expect(await bed.remains(id)).toEqual([]);
  });
});
