import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { computeV1, type NodeReport, nodeDigest } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { ServerSpec } from '../driver/driver.js';
import { FakeDriver, type FakeOptions } from '../driver/fake.js';
import { Ledger } from '../fence/ledger.js';
import { AgentNode } from './agent-node.js';
import type { ServerReport } from './ports.js';

const A = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const B = '1b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';

/** A node on the fake driver, with compute and the bus under the test's control. */
class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'agent-node-'));
  readonly specs = new Map<string, ServerSpec>();
  readonly reports: NodeReport[] = [];
  readonly kept: { serverId: string; news: number }[] = [];
  readonly faults = new Map<string, Error>();
  computeIsUp = true;
  busIsUp = true;
  specDelay: Promise<void> | undefined;
  node!: AgentNode;
  driver!: FakeDriver;

  async boot(options: FakeOptions = {}): Promise<this> {
    const fault = (step: string, id: string) => this.faults.get(`${step} ${id}`);
    this.driver = new FakeDriver({
      journal: join(this.folder, 'domains'),
      delays: { startMs: 1, stopMs: 1, destroyMs: 1 },
      fault,
      ...options,
    });
    this.node = new AgentNode({
      name: 'node-1',
      driver: this.driver,
      ledger: await Ledger.open(join(this.folder, 'fences'), false),
      compute: {
        getSpec: async (id) => {
          await this.specDelay;
          if (!this.computeIsUp) throw fail.unavailable('compute is away');
          return this.specs.get(id);
        },
        listDesired: async () => [...this.specs.values()],
        newsKept: async (serverId, news) => void this.kept.push({ serverId, news }),
        postPassword: async () => undefined,
        diskKeys: async () => ({}),
      },
      reports: {
        publish: async (report) => {
          if (!this.busIsUp) throw fail.unavailable('the bus is away');
          this.reports.push(report);
        },
      },
      log: pino({ level: 'silent' }),
      patienceMs: 400,
    });
    await this.node.start();
    return this;
  }

  want(part: Partial<ServerSpec>): ServerSpec {
    const before = this.specs.get(part.serverId ?? A);
    const spec = computeV1.ServerSpec.fromPartial({
      ...(before ?? { power: 'running', vcpus: 1, memoryMb: 64 }),
      serverId: A,
      ...part,
    });
    this.specs.set(spec.serverId, spec);
    return spec;
  }

  send(fence: number, seq: number, generation: number, serverId = A): Promise<void> {
    return this.node.command({ type: 'ensure', serverId, fence, seq, generation });
  }

  get server(): ServerReport[] {
    return this.reports.filter((one) => one.type === 'server');
  }

  get last(): ServerReport | undefined {
    return this.server.at(-1);
  }

  /** Waits until a report says so. */
  async hears(part: Partial<ServerReport>): Promise<ServerReport> {
    await vi.waitFor(() => expect(this.server).toContainEqual(expect.objectContaining(part)), 5_000);
    return this.server.findLast((one) =>
      Object.entries(part).every(([key, value]) => one[key as keyof ServerReport] === value),
    )!;
  }
}

let rig: Rig;
beforeEach(async () => {
  rig = await new Rig().boot();
});
afterEach(async () => {
  await rig.node.stop();
  rmSync(rig.folder, { recursive: true });
});

it('has the guest told of news, and leaves the server as it is', async () => {
  rig.want({ generation: 1 });
  await rig.send(10, 1, 1);
  await rig.hears({ outcome: 'done', power: 'running' });
  const reports = rig.reports.length;
  rig.want({ news: 4, power: 'stopped', generation: 2 });
  await rig.node.command({ type: 'refresh', serverId: A });
  await vi.waitFor(() => expect(rig.kept).toEqual([{ serverId: A, news: 4 }]));
  expect(await rig.driver.power(A)).toBe('running');
  expect(rig.reports).toHaveLength(reports);
});

describe('copies of disks', () => {
  const wanted = (part: Partial<ServerSpec['export'] & object> = {}) => ({
    ...{ imageId: 'i', uploadUrl: '', quiesce: '', trouble: '' },
    ...part,
  });

  it('are made once the server is as it should be, and asked for again are not made again', async () => {
    rig.want({ generation: 1, export: wanted() });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done', power: 'running' });
    rig.faults.set(`export ${A}`, fail.conflict('twice'));
    await rig.send(10, 1, 1);
    expect(rig.last).toMatchObject({ outcome: 'done', power: 'running' });
  });

  it('are made of a guest that ends meanwhile: it stays off, and that it ended is told', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done', power: 'running' });
    rig.faults.set(`export ${A}`, fail.unavailable('the guest was switched off'));
    rig.want({ generation: 2, export: wanted() });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'busy', error: 'the guest was switched off' });
    await rig.driver.happen(A, 'stopped');
    rig.faults.clear();
    await rig.hears({ fence: 11, outcome: 'done', power: 'stopped' });
    await rig.hears({ fence: 11, event: true, power: 'stopped' });
    expect((await rig.driver.consoleLog(A, 0)).toString()).not.toContain('boot=2');
  });

  it('fail with a reason, the server staying as it is', async () => {
    rig.want({ generation: 1, export: wanted({ trouble: 'the image was deleted' }) });
    await rig.send(10, 1, 1);
    expect(await rig.hears({ outcome: 'failed' })).toMatchObject({ power: 'running', error: 'the image was deleted' });
    rig.want({ generation: 2, power: 'stopped', export: undefined });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'stopped' });
  });

  it('are tried again while something is away, and given up for a newer command', async () => {
    rig.faults.set(`export ${A}`, fail.unavailable('the image service is away'));
    rig.want({ generation: 1, export: wanted() });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'busy', error: 'the image service is away' });
    rig.want({ generation: 2, power: 'absent', export: undefined });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'absent' });
  });
});

describe('commands', () => {
  it('makes a server run, stop and go away, under rising pairs', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    expect(await rig.hears({ outcome: 'done', power: 'running' })).toMatchObject({
      fence: 10,
      seq: 1,
      heldFence: 10,
      heldSeq: 1,
      generation: 1,
      event: false,
    });
    rig.want({ generation: 2, power: 'stopped' });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'stopped' });
    rig.want({ generation: 3, power: 'absent' });
    await rig.send(12, 1, 3);
    await rig.hears({ outcome: 'done', power: 'absent' });
    expect(await rig.driver.list()).toEqual([]);
  });

  it('refuses a command that comes late, also after the server is gone', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 2, 1);
    await rig.hears({ outcome: 'done' });
    await rig.send(10, 1, 1);
    await rig.send(9, 7, 1);
    expect(rig.last).toMatchObject({ outcome: 'refused', fence: 9, seq: 7, heldFence: 10, heldSeq: 2 });
    rig.want({ generation: 2, power: 'absent' });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'absent' });
    rig.want({ generation: 1, power: 'running' });
    await rig.send(10, 9, 1);
    expect(rig.last).toMatchObject({ outcome: 'refused', fence: 10, seq: 9, heldFence: 11, heldSeq: 1 });
    expect(await rig.driver.power(A)).toBe('absent');
  });

  it('tells what befell a guest', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    await rig.driver.happen(A, 'paused', 'its disk is full');
    await rig.hears({ event: true, power: 'paused', error: 'its disk is full' });
    await rig.driver.happen(A, 'running');
    await rig.hears({ event: true, power: 'running' });
    expect(rig.last!.error).toBeUndefined();
  });

  it('answers an identical command with what it recorded, without doing it again', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    const boots = await rig.driver.consoleLog(A, 0);
    await rig.driver.happen(A, 'stopped');
    await rig.hears({ event: true, power: 'stopped' });
    const before = rig.server.length;
    await rig.send(10, 1, 1);
    expect(rig.server).toHaveLength(before + 1);
    expect(rig.last).toMatchObject({ outcome: 'done', fence: 10, seq: 1, power: 'stopped' });
    expect(await rig.driver.consoleLog(A, 0)).toEqual(boots);
  });

  it('goes on with the same work when only the pair rises, and answers under the newest', async () => {
    const gate = Promise.withResolvers<void>();
    rig.specDelay = gate.promise;
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.send(10, 2, 1);
    await rig.send(12, 1, 1);
    expect(rig.last).toMatchObject({ outcome: 'busy', fence: 12, seq: 1 });
    gate.resolve();
    await rig.hears({ outcome: 'done', fence: 12, seq: 1 });
    expect((await rig.driver.consoleLog(A, 0)).toString()).toContain('boot=1');
    expect((await rig.driver.consoleLog(A, 0)).toString()).not.toContain('boot=2');
  });

  it('lets a removal cut off a creation', async () => {
    await rig.node.stop();
    await rig.boot({ delays: { startMs: 60_000 } });
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await vi.waitFor(async () => expect(await rig.driver.power(A)).toBe('stopped'));
    rig.want({ generation: 2, power: 'absent' });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'absent', fence: 11 });
    expect(rig.server.filter((one) => one.fence === 10 && one.outcome !== 'busy')).toEqual([]);
    expect(await rig.driver.list()).toEqual([]);
  });

  it('never takes an older desired state for the commanded one', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await rig.driver.power(A)).toBe('absent');
    rig.want({ generation: 2 });
    await rig.hears({ outcome: 'done', power: 'running', generation: 2 });
  });

  it('works on several servers at once', async () => {
    rig.want({ generation: 1 });
    rig.want({ generation: 1, serverId: B });
    await Promise.all([rig.send(10, 1, 1), rig.send(11, 1, 1, B)]);
    await rig.hears({ serverId: A, outcome: 'done' });
    await rig.hears({ serverId: B, outcome: 'done' });
  });

  it('leaves alone what compute does not know', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    rig.specs.clear();
    await rig.send(11, 1, 2);
    expect((await rig.hears({ outcome: 'failed' })).error).toContain('left alone');
    expect(await rig.driver.power(A)).toBe('running');
  });
});

describe('a guest that stands still', () => {
  it('goes on from memory and from the disk without another boot, and starts anew by force', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    let generation = 1;
    for (const power of ['paused', 'running', 'suspended', 'running', 'paused', 'suspended']) {
      generation += 1;
      rig.want({ generation, power });
      await rig.send(10, generation, generation);
      await rig.hears({ outcome: 'done', generation, power: power as 'paused' });
    }
    const boots = async () => (await rig.driver.consoleLog(A, 0)).toString().match(/boot=/g)?.length;
    expect(await boots()).toBe(1);
    rig.want({ generation: 8, power: 'running', rebootCount: 1, rebootKind: 'HARD' });
    await rig.send(11, 1, 8);
    await rig.hears({ outcome: 'done', power: 'running', rebootCount: 1 });
    expect(await boots()).toBe(2);
  });

  it('can not be made of one that is off', async () => {
    rig.want({ generation: 1, power: 'stopped' });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    rig.want({ generation: 2, power: 'suspended' });
    await rig.send(11, 1, 2);
    expect((await rig.hears({ outcome: 'failed' })).error).toBe('its guest does not run any more');
  });
});

describe('reboots', () => {
  it('happen once for each rise of the count', async () => {
    rig.want({ generation: 1, rebootCount: 4 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done', rebootCount: 4 });
    rig.want({ generation: 2, rebootCount: 5, rebootKind: 'HARD' });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', rebootCount: 5 });
    await rig.send(11, 2, 2);
    await rig.hears({ outcome: 'done', seq: 2 });
    expect((await rig.driver.consoleLog(A, 0)).toString().match(/boot=/g)).toHaveLength(2);
  });
});

describe('failures', () => {
  it('waits for compute to come back', async () => {
    rig.computeIsUp = false;
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    expect((await rig.hears({ outcome: 'busy' })).error).toContain('away');
    rig.computeIsUp = true;
    await rig.hears({ outcome: 'done', power: 'running' });
  });

  it('gives up a start that stays impossible, but not a removal', async () => {
    rig.faults.set(`start ${A}`, fail.unavailable('the hypervisor is not reached'));
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    expect((await rig.hears({ outcome: 'failed' })).error).toContain('not reached');
    rig.faults.set(`destroy ${A}`, fail.unavailable('the hypervisor is not reached'));
    rig.want({ generation: 2, power: 'absent' });
    await rig.send(11, 1, 2);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(rig.last).toMatchObject({ outcome: 'busy', fence: 11 });
    rig.faults.clear();
    await vi.waitFor(() => expect(rig.last).toMatchObject({ outcome: 'done', power: 'absent' }), 5_000);
  });

  it('says at once what can not be done', async () => {
    rig.faults.set(`prepare ${A}`, fail.overQuota('the node has no room for image x'));
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    expect(await rig.hears({ outcome: 'failed' })).toMatchObject({
      error: 'the node has no room for image x',
      power: 'absent',
    });
  });

  it('tries a failed removal again when it is asked again', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    rig.faults.set(`destroy ${A}`, new Error('busy device'));
    rig.want({ generation: 2, power: 'absent' });
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'failed' });
    rig.faults.clear();
    await rig.send(11, 1, 2);
    await rig.hears({ outcome: 'done', power: 'absent' });
  });
});

describe('a new start of the agent', () => {
  it('goes on with what was not finished and keeps the fences', async () => {
    const gate = Promise.withResolvers<void>();
    rig.specDelay = gate.promise;
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    const stopping = rig.node.stop();
    gate.resolve();
    await stopping;
    rig.specDelay = undefined;
    expect(rig.server.filter((one) => one.outcome === 'done')).toEqual([]);
    await rig.boot();
    await rig.hears({ outcome: 'done', power: 'running', fence: 10, seq: 1 });
    await rig.send(10, 0, 1);
    expect(rig.last).toMatchObject({ outcome: 'refused' });
  });

  it('tells what happened while it was away by its digest, and not as an event that it saw', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    await rig.node.stop();
    rig.reports.length = 0;
    const meanwhile = new FakeDriver({ journal: join(rig.folder, 'domains') });
    await meanwhile.start({
      changed: () => undefined,
      resynced: () => undefined,
      posted: async () => undefined,
      keys: async () => ({}),
    });
    await meanwhile.happen(A, 'crashed');
    await meanwhile.stop();
    await rig.boot();
    const digest = nodeDigest([{ serverId: A, power: 'crashed', fence: 10 }]);
    await vi.waitFor(() => expect(rig.reports).toContainEqual(expect.objectContaining({ type: 'beat', digest })));
    expect(rig.server.filter((one) => one.event)).toEqual([]);
  });

  it('finds commands that were missed, by the list of what is desired', async () => {
    rig.want({ generation: 3, fence: 20, seq: 2 });
    await rig.node.reconnected();
    await rig.hears({ outcome: 'done', fence: 20, seq: 2, power: 'running' });
    const before = rig.server.length;
    await rig.node.reconnected();
    expect(rig.server).toHaveLength(before);
  });
});

describe('the bus', () => {
  it('may be away: the newest report of each server waits', async () => {
    rig.busIsUp = false;
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await vi.waitFor(async () => expect(await rig.driver.power(A)).toBe('running'));
    rig.want({ generation: 2, power: 'stopped' });
    await rig.send(11, 1, 2);
    await vi.waitFor(async () => expect(await rig.driver.power(A)).toBe('stopped'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    rig.busIsUp = true;
    await rig.node.beat();
    expect(rig.server).toEqual([expect.objectContaining({ outcome: 'done', power: 'stopped', fence: 11 })]);
  });

  it('hears beats with a digest, and everything when it asks', async () => {
    rig.want({ generation: 1 });
    await rig.send(10, 1, 1);
    await rig.hears({ outcome: 'done' });
    await rig.node.beat();
    const digest = nodeDigest([{ serverId: A, power: 'running', fence: 10 }]);
    expect(rig.reports.at(-1)).toMatchObject({ type: 'beat', digest, servers: 1, highestFence: 10 });
    await rig.node.command({ type: 'report' });
    expect(rig.reports.at(-1)).toMatchObject({
      type: 'full',
      digest,
      servers: [{ serverId: A, power: 'running', fence: 10, seq: 1 }],
      unknown: [],
    });
  });

  it('hears of what nobody told the node to have, which stays', async () => {
    await rig.driver.ensureRunning(rig.want({ serverId: B, generation: 1 }), new AbortController().signal);
    await rig.node.command({ type: 'report' });
    expect(rig.reports.at(-1)).toMatchObject({ type: 'full', servers: [], unknown: [`domain ${B}`, `disk ${B}`] });
    expect(await rig.driver.power(B)).toBe('running');
  });
});
