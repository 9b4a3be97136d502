/** Every step of every flow: repeated, failed, abandoned before and after its record, cancelled, undone twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyFlow, NewTask } from '#libs/platform/flow';
import { runTrial, trialsOf } from '#libs/testing';
import {
  type MoveName,
  SERVER_ATTACH_INTERFACE,
  SERVER_CONFIRM_RESIZE,
  SERVER_CREATE,
  SERVER_DELETE,
  SERVER_DETACH_INTERFACE,
  SERVER_PAUSE,
  SERVER_REBOOT,
  SERVER_REBUILD,
  SERVER_RESCUE,
  SERVER_RESIZE,
  SERVER_RESUME,
  SERVER_REVERT_RESIZE,
  SERVER_START,
  SERVER_STOP,
  SERVER_SUSPEND,
  SERVER_UNPAUSE,
  SERVER_UNRESCUE,
  serverKey,
} from '#services/compute/domain';
import { askDecision, askResize, misshapen } from '../testbed/resize.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';
import type { FlowDeps } from './deps.js';
import { computeFlows } from './index.js';

const OTHER_IMAGE = '99999999-9999-4999-8999-999999999999';
const REBUILD = {
  power: 'running',
  size: { vcpus: 1, memoryMb: 512, diskGb: 1 },
  requiredTraits: [],
  forbiddenTraits: [],
};

let bed: Testbed;

/** The steps of a flow, before anything is there for it to work with. */
function bedless(kind: string): AnyFlow {
  return computeFlows({} as FlowDeps).find((flow) => flow.kind === kind)!;
}

beforeAll(async () => {
  bed = await Testbed.open();
  await bed.node('node-1', 1 << 20);
  await bed.node('node-2', 1 << 20);
});
afterAll(() => bed.close());

const create = () => bed.flow(SERVER_CREATE);

/** A server that runs, made without a runner in the way of the harness's own. */
async function runs(): Promise<string> {
  const task = await bed.prepareCreate();
  const found = await runTrial(
    { db: bed.db, flow: create(), prepare: async () => task, audit: async () => [] },
    { name: 'none', step: 'none', direction: 'do', moment: 'before', mishap: 'error', end: 'done' },
  );
  expect(found).toEqual([]);
  return task.input.serverId;
}

/** How a server and its guest are before moves that do not begin with one that runs. */
const BEFORE: Partial<Record<MoveName, 'stopped' | 'paused' | 'suspended'>> = {
  start: 'stopped',
  unpause: 'paused',
  resume: 'suspended',
};
const POWER_OF: Record<string, string> = { active: 'running' };

async function aboutToChange(kind: string, move: MoveName, extra: object = {}): Promise<NewTask<{ serverId: string }>> {
  const serverId = await runs();
  const before = BEFORE[move];
  if (before) {
    await bed.db.exec('update server set vm_state = $2 where id = $1', [serverId, before]);
    bed.guest(serverId).power = before;
  }
  const patch =
    kind === SERVER_REBOOT ? { reboot: 'HARD' as const } : kind === SERVER_REBUILD ? { imageId: OTHER_IMAGE } : {};
  const moved = await bed.servers.move(bed.db, serverId, move, new Date(), patch);
  const { generation, rebootCount } = moved!;
  const input = { serverId, generation, rebootCount, ...extra };
  return { id: randomUUID(), kind, key: serverKey(serverId), projectId: 'p1', input };
}

describe('server.create', () => {
  it.each(trialsOf(bedless(SERVER_CREATE)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: create(),
        prepare: () => bed.prepareCreate(),
        audit: async ({ input }, end) => {
          if (end === 'done') return bed.running(input.serverId);
          const server = await bed.server(input.serverId);
          const inError = server?.vmState === 'error' && server.taskState === null && server.fault !== null;
          return [...(await bed.remains(input.serverId)), ...(inError ? [] : [`it is ${server?.vmState}`])];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe('server.delete', () => {
  it.each(trialsOf(bedless(SERVER_DELETE), false))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_DELETE),
        turns: false,
        prepare: () => aboutToChange(SERVER_DELETE, 'remove'),
        audit: async ({ input }) => {
          const row = (await bed.server(input.serverId)) ? ['its row'] : [];
          return [...(await bed.remains(input.serverId)), ...row];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe.each([
  { kind: SERVER_START, move: 'start', ends: 'active', undone: ['stopped', 'error'] },
  { kind: SERVER_STOP, move: 'stop', ends: 'stopped', undone: ['active', 'error'] },
  { kind: SERVER_REBOOT, move: 'rebootHard', ends: 'active', undone: ['active', 'error'] },
  { kind: SERVER_PAUSE, move: 'pause', ends: 'paused', undone: ['active', 'error'] },
  { kind: SERVER_UNPAUSE, move: 'unpause', ends: 'active', undone: ['paused', 'error'] },
  { kind: SERVER_SUSPEND, move: 'suspend', ends: 'suspended', undone: ['active', 'error'] },
  { kind: SERVER_RESUME, move: 'resume', ends: 'active', undone: ['suspended', 'error'] },
] as const)('$kind', ({ kind, move, ends, undone }) => {
  it.each(trialsOf(bedless(kind)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(kind),
        prepare: () => aboutToChange(kind, move, kind === SERVER_REBOOT ? { kind: 'HARD' } : {}),
        audit: async ({ input }, end) => {
          const server = (await bed.server(input.serverId))!;
          const fine = end === 'done' ? [ends] : undone;
          const wrong = (fine as readonly string[]).includes(server.vmState) ? [] : [`it is ${server.vmState}`];
          const { power } = bed.guest(server.id);
          if (end === 'done' && power !== (POWER_OF[ends] ?? ends)) wrong.push(`its guest is ${power}`);
          return server.taskState === null ? wrong : [...wrong, `it is still ${server.taskState}`];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe('server.rebuild', () => {
  it.each(trialsOf(bedless(SERVER_REBUILD)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_REBUILD),
        prepare: () => aboutToChange(SERVER_REBUILD, 'rebuild', { ...REBUILD, before: { imageId: null, image: null } }),
        audit: async ({ input }, end) => {
          const server = (await bed.server(input.serverId))!;
          const { epoch } = bed.guest(server.id);
          if (end === 'done')
            return [...(await bed.running(server.id)), ...(epoch === 2 ? [] : [`its disk is ${epoch}`])];
          const told = server.diskEpoch === 2;
          const wrong = server.vmState === 'error' && server.taskState === null ? [] : [`it is ${server.vmState}`];
          if (bed.placement.claimOf(server.id) !== server.host) wrong.push('its claim is gone');
          return (server.imageId === OTHER_IMAGE) === told ? wrong : [...wrong, `its image is ${server.imageId}`];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

const RESCUE = {
  imageId: OTHER_IMAGE,
  image: { name: 'r', diskFormat: 'raw', size: 1, virtualSize: 1, sha256: '', properties: {} },
  epoch: 7,
  made: false,
};

describe.each([
  { kind: SERVER_RESCUE, move: 'rescue', from: 0, to: 7, ends: 'rescued' },
  { kind: SERVER_UNRESCUE, move: 'unrescue', from: 7, to: 0, ends: 'active' },
] as const)('$kind', ({ kind, move, from, to, ends }) => {
  it.each(trialsOf(bedless(kind)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(kind),
        prepare: async () => {
          const serverId = await runs();
          const held = [...bed.nodes.values()].find((node) => node.guests.includes(serverId))!.held.get(serverId)!;
          held.rescue = from;
          if (from)
            await bed.db.exec(`update server set vm_state = 'rescued', rescue = $2 where id = $1`, [
              serverId,
              JSON.stringify(RESCUE),
            ]);
          const { generation } = (await bed.servers.move(bed.db, serverId, move, new Date()))!;
          const input = { serverId, generation, rescue: RESCUE };
          return { id: randomUUID(), kind, key: serverKey(serverId), projectId: 'p1', input };
        },
        audit: async ({ input }, end) => {
          const server = (await bed.server(input.serverId))!;
          const held = bed.nodes.get(server.host!)!.held.get(server.id)!;
          const wrong = server.taskState === null ? [] : [`it is still ${server.taskState}`];
          if (server.vmState !== (end === 'done' ? ends : 'error')) wrong.push(`it is ${server.vmState}`);
          if (end === 'done' && held.rescue !== to) wrong.push(`its guest boots from ${held.rescue}`);
          if (held.epoch !== 1) wrong.push('its own disk was made anew');
          return wrong;
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

const WAS = { memoryMb: 512, diskGb: 1 };
const IS = { memoryMb: 1024, diskGb: 3 };

describe('server.resize', () => {
  it.each(trialsOf(bedless(SERVER_RESIZE)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(SERVER_RESIZE),
        prepare: async () => askResize(bed, await runs()),
        audit: async ({ input: { serverId } }, end) => {
          const server = (await bed.server(serverId))!;
          const state = end === 'done' ? 'resized' : 'active';
          const wrong = server.vmState === state ? [] : [`it is ${server.vmState}`];
          if ((server.resize === null) !== (end === 'undone')) wrong.push('it waits for a decision, or does not');
          if (end === 'undone' && !server.fault) wrong.push('it says nothing of why');
          return [...wrong, ...(await misshapen(bed, serverId, end === 'done' ? { ...IS, kept: true } : WAS))];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

describe.each([
  { kind: SERVER_CONFIRM_RESIZE, decision: 'confirmResize', shape: IS },
  { kind: SERVER_REVERT_RESIZE, decision: 'revertResize', shape: WAS },
] as const)('$kind', ({ kind, decision, shape }) => {
  it.each(trialsOf(bedless(kind), false))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(kind),
        turns: false,
        prepare: async () => {
          const serverId = await runs();
          const task = await askResize(bed, serverId);
          await runTrial(
            { db: bed.db, flow: bed.flow(SERVER_RESIZE), prepare: async () => task, audit: async () => [] },
            { name: 'none', step: 'none', direction: 'do', moment: 'before', mishap: 'error', end: 'done' },
          );
          return askDecision(bed, serverId, decision);
        },
        audit: async ({ input: { serverId } }) => {
          const { vmState, resize, undo } = (await bed.server(serverId))!;
          const wrong =
            vmState === 'active' && resize === null && undo === '' ? [] : [`it is ${vmState}, undo ${undo}`];
          return [...wrong, ...(await misshapen(bed, serverId, shape))];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});

/** The ports that the server has by its row, by network, and by its node. */
async function portsOf(serverId: string): Promise<string[][]> {
  const server = (await bed.server(serverId))!;
  const { servers } = await bed.network.listForServers({ serverIds: [serverId] });
  return [
    server.nics.map((nic) => nic.portId),
    server.addresses.map((one) => one.portId),
    servers.flatMap((one) => one.ports.map((port) => port.id)),
    bed.guest(serverId).ports,
  ].map((ids) => [...ids].sort());
}
const agree = (ports: readonly string[][], count: number): string[] =>
  ports.every((ids) => ids.length === count && ids.join() === ports[0]!.join())
    ? []
    : [`ports: ${JSON.stringify(ports)}`];

const nic = () => ({ portId: randomUUID(), adopt: false, networkId: randomUUID(), fixedIp: '', tag: 'more' });

describe.each([
  { kind: SERVER_ATTACH_INTERFACE, done: 2, turns: true },
  { kind: SERVER_DETACH_INTERFACE, done: 0, turns: false },
])('$kind', ({ kind, done, turns }) => {
  it.each(trialsOf(bedless(kind), turns))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(kind),
        turns,
        prepare: async () => {
          const task = await aboutToChange(kind, 'changeInterfaces', { nic: nic(), securityGroupIds: [] });
          const [port] = (await bed.server(task.input.serverId))!.nics;
          return { ...task, input: { ...task.input, portId: port!.portId } };
        },
        audit: async ({ input: { serverId } }, end) => {
          const wrong = await bed.running(serverId);
          await bed
            .until(async () => !agree(await portsOf(serverId), end === 'done' ? done : 1).length)
            .catch(() => undefined);
          return [...wrong, ...agree(await portsOf(serverId), end === 'done' ? done : 1)];
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});
