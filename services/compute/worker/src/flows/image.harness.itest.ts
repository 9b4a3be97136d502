/** As harness.itest.ts, for the flows by which servers become images and are made of them again. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyFlow, NewTask } from '#libs/platform/flow';
import { runTrial, trialsOf } from '#libs/testing';
import {
  imageOf,
  type MoveName,
  SERVER_CREATE_BACKUP,
  SERVER_CREATE_IMAGE,
  SERVER_SHELVE,
  SERVER_SHELVE_OFFLOAD,
  SERVER_UNSHELVE,
  type Server,
  type ServerBackupInput,
  type ServerCreateInput,
  type ServerImageInput,
  type ServerUnshelveInput,
  serverKey,
  shelfOf,
} from '#services/compute/domain';
import { Testbed } from '../testbed/testbed.fixture.js';
import type { FlowDeps } from './deps.js';
import { computeFlows } from './index.js';

let bed: Testbed;

/** The steps of a flow, before anything is there for it to work with. */
const bedless = (kind: string): AnyFlow => computeFlows({} as FlowDeps).find((flow) => flow.kind === kind)!;

beforeAll(async () => {
  bed = await Testbed.open();
  await bed.node('node-1', 1 << 20);
  await bed.node('node-2', 1 << 20);
});
afterAll(() => bed.close());

const SMOOTH = { name: 'none', step: 'none', direction: 'do', moment: 'before', mishap: 'error', end: 'done' } as const;

/** Runs a task to its end without a mishap. */
async function through<I>(task: NewTask<I>): Promise<void> {
  const options = { db: bed.db, flow: bed.flow(task.kind), prepare: async () => task, audit: async () => [] };
  expect(await runTrial(options, SMOOTH)).toEqual([]);
}

async function runs(): Promise<NewTask<ServerCreateInput>> {
  const task = await bed.prepareCreate();
  await through(task);
  return task;
}

async function task<I extends { readonly serverId: string }>(
  kind: string,
  move: MoveName,
  input: I,
): Promise<NewTask<I>> {
  expect(await bed.servers.move(bed.db, input.serverId, move, new Date())).toBeDefined();
  return { id: randomUUID(), kind, key: serverKey(input.serverId), projectId: 'p1', userId: 'u1', input };
}

function draft(server: Server, type: 'snapshot' | 'backup', backupType?: string): ServerImageInput {
  const imageId = randomUUID();
  const wish = { imageId, name: 'i', type, metadata: {}, userId: 'u1', minRamMb: 0 };
  return { serverId: server.id, image: imageOf(server, backupType ? { ...wish, backupType } : wish) };
}

async function shelves(): Promise<{ create: NewTask<ServerCreateInput>; shelve: NewTask<ServerImageInput> }> {
  const create = await runs();
  const server = (await bed.server(create.input.serverId))!;
  return { create, shelve: await task(SERVER_SHELVE, 'shelve', draft(server, 'snapshot')) };
}

/** A shelved server with its place on the node, as it is where servers are not taken off at once. */
async function placedShelf(): Promise<{ create: NewTask<ServerCreateInput>; imageId: string }> {
  const { create, shelve } = await shelves();
  const options = { db: bed.db, flow: bed.flow(SERVER_SHELVE), prepare: async () => shelve, audit: async () => [] };
  const held = { ...SMOOTH, step: 'leave', mishap: 'permanent', end: 'undone' } as const;
  expect(await runTrial(options, held)).toEqual([]);
  return { create, imageId: shelve.input.image.imageId };
}

async function unshelve(
  create: NewTask<ServerCreateInput>,
  imageId: string,
  place: ServerCreateInput | null,
): Promise<NewTask<ServerUnshelveInput>> {
  const { serverId } = create.input;
  return task(SERVER_UNSHELVE, 'unshelve', { serverId, imageId, place, discardTaskId: randomUUID() });
}

const stepDone = async (each: NewTask, step: string): Promise<boolean> => {
  const history = (await bed.tasksOf((each.input as { serverId: string }).serverId)).find(({ id }) => id === each.id);
  return history?.steps.some((one) => one.step === step && one.direction === 'do' && one.doneAt !== null) ?? false;
};
const imageIs = (imageId: string, wanted: string): string[] => {
  const status = bed.images.statusOf(imageId) ?? 'unheard of';
  return status === wanted ? [] : [`its image is ${status}, not ${wanted}`];
};
const once = (imageId: string): string[] =>
  (bed.images.kept.get(imageId)?.uploads ?? 0) > 1 ? ['its bytes were sent twice'] : [];

/** What is wrong about a server on the shelf: off its node, or off on it. */
async function shelved(serverId: string, placed: boolean): Promise<string[]> {
  const server = (await bed.server(serverId))!;
  const wrong: string[] = [];
  const vmState = placed ? 'shelved' : 'shelved_offloaded';
  if (server.vmState !== vmState || server.taskState !== null)
    wrong.push(`it is ${server.vmState}/${server.taskState}`);
  const host = placed ? server.host : null;
  if (server.host !== host || (placed && !host)) wrong.push(`it is on ${server.host}`);
  if ((bed.placement.claimOf(serverId) ?? null) !== host)
    wrong.push(`its claim is on ${bed.placement.claimOf(serverId)}`);
  if (bed.network.hostOf(serverId) !== (host ?? '')) wrong.push(`its ports are on ${bed.network.hostOf(serverId)}`);
  for (const node of bed.nodes.values()) {
    const power = node.held.get(serverId)?.power ?? 'absent';
    if (node.name === host ? power === 'running' : power !== 'absent') wrong.push(`on ${node.name} it is ${power}`);
  }
  const shelf = shelfOf(server);
  return shelf
    ? [...wrong, ...imageIs(shelf.imageId, 'active'), ...once(shelf.imageId)]
    : [...wrong, 'it has no shelf'];
}

describe.each([
  { kind: SERVER_CREATE_IMAGE, move: 'createImage' },
  { kind: SERVER_CREATE_BACKUP, move: 'createBackup' },
] as const)('$kind', ({ kind, move }) => {
  it.each(trialsOf(bedless(kind)))('$name', async (trial) => {
    const found = await runTrial<ServerImageInput | ServerBackupInput>(
      {
        db: bed.db,
        flow: bed.flow(kind),
        prepare: async () => {
          const server = (await bed.server((await runs()).input.serverId))!;
          if (kind === SERVER_CREATE_IMAGE) return task(kind, move, draft(server, 'snapshot'));
          return task(kind, move, { ...draft(server, 'backup', 'daily'), backupType: 'daily', rotation: 1 });
        },
        audit: async (each) => {
          const { serverId, image } = each.input;
          const whole = await stepDone(each, 'export');
          const left = [...(await bed.running(serverId)), ...once(image.imageId)];
          return [...left, ...imageIs(image.imageId, whole ? 'active' : 'discarded')];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe('server.shelve', () => {
  it.each(trialsOf(bedless(SERVER_SHELVE)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_SHELVE),
        prepare: async () => (await shelves()).shelve,
        audit: async (each, end) => {
          const { serverId, image } = each.input;
          if (end === 'done' || (await stepDone(each, 'clear'))) return shelved(serverId, false);
          if (await stepDone(each, 'settle')) return shelved(serverId, true);
          const power = bed.nodes.get((await bed.server(serverId))!.host!)!.held.get(serverId)!.power;
          const off = power === 'running' ? [] : [`its guest is ${power}`];
          return [...(await bed.running(serverId)), ...off, ...imageIs(image.imageId, 'discarded')];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe('server.shelve-offload', () => {
  it.each(trialsOf(bedless(SERVER_SHELVE_OFFLOAD)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_SHELVE_OFFLOAD),
        prepare: async () => {
          const { serverId } = (await placedShelf()).create.input;
          return task(SERVER_SHELVE_OFFLOAD, 'shelveOffload', { serverId });
        },
        audit: async (each, end) => shelved(each.input.serverId, end !== 'done' && !(await stepDone(each, 'clear'))),
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe.each([{ placed: true }, { placed: false }])('server.unshelve, with its place kept: $placed', ({ placed }) => {
  it.each(trialsOf(bedless(SERVER_UNSHELVE)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_UNSHELVE),
        others: [bed.flow('image.discard')],
        prepare: async () => {
          if (placed) {
            const { create, imageId } = await placedShelf();
            return unshelve(create, imageId, null);
          }
          const { create, shelve } = await shelves();
          await through(shelve);
          return unshelve(create, shelve.input.image.imageId, create.input);
        },
        audit: async (each, end) => {
          const { serverId, imageId } = each.input;
          if (end === 'undone' && !(await stepDone(each, 'settle'))) return shelved(serverId, placed);
          await bed.until(() => imageIs(imageId, 'discarded').length === 0);
          const shelf = shelfOf((await bed.server(serverId))!);
          return [...(await bed.running(serverId)), ...(shelf ? ['it still has a shelf'] : [])];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});
