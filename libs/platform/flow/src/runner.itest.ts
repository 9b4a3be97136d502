import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { delay, fail, isFailure } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  type AnyFlow,
  abandonTask,
  defineFlow,
  FlowRunner,
  type FlowRunnerOptions,
  flowMigrations,
  insertTask,
  NotYet,
  Permanent,
  requestCancel,
  resumeTask,
  type TaskHistory,
  taskHistory,
} from './index.js';

let scratch: ScratchDatabase;
let db: Db;
beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations]);
  db = scratch.db;
  await db.exec('create table mark (task text, what text, at timestamptz default clock_timestamp())');
});
afterAll(() => scratch.drop());

const runners: FlowRunner[] = [];
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop();
});

async function run(flows: AnyFlow[], options: Partial<FlowRunnerOptions> = {}): Promise<FlowRunner> {
  const runner = new FlowRunner({ db, flows, owner: randomUUID(), ...options });
  runners.push(runner);
  await runner.start();
  return runner;
}

const insert = (
  kind: string,
  more: { id?: string; key?: string; queue?: boolean; version?: number } = {},
): Promise<string> => {
  const id = more.id ?? randomUUID();
  return db.tx(async (tx) => {
    await insertTask(tx, {
      kind,
      key: `thing/${id}`,
      projectId: 'p',
      requestId: 'req-1',
      input: { name: 'x' },
      ...more,
      id,
    });
    return id;
  });
};

const task = async (id: string): Promise<TaskHistory> => (await taskHistory(db, { id }))[0]!;

async function until(id: string, state: TaskHistory['state'], ms = 5_000): Promise<TaskHistory> {
  const end = performance.now() + ms;
  for (;;) {
    const now = await task(id);
    if (now.state === state) return now;
    if (performance.now() > end) throw new Error(`task is ${now.state}, not ${state}: ${JSON.stringify(now)}`);
    await delay(10);
  }
}

const noop = defineFlow({
  kind: 'test.noop',
  steps: ['a', 'b', 'c', 'd'].map((name) => ({ name, tx: async () => ({ name }) })),
});

describe('the way of a task', () => {
  it('runs its steps in order and hands their outputs on', async () => {
    const seen: unknown[] = [];
    const flow = defineFlow<{ name: string }>({
      kind: 'test.order',
      steps: [
        { name: 'one', tx: async (_tx, ctx) => ({ from: ctx.input.name }) },
        { name: 'two', ensure: async (ctx) => seen.push(ctx.out('one'), ctx.next(), ctx.next()) },
        { name: 'three', tx: async (_tx, ctx) => void seen.push(ctx.out('two'), ctx.requestId) },
      ],
    });
    await run([flow]);
    const done = await until(await insert('test.order'), 'done');
    const fence = done.steps[0]!.fence;
    expect(seen).toEqual([{ from: 'x' }, { fence, n: 1 }, { fence, n: 2 }, 3, 'req-1']);
    expect(done.steps.map((step) => [step.step, step.direction, step.outcome])).toEqual([
      ['one', 'do', 'done'],
      ['two', 'do', 'done'],
      ['three', 'do', 'done'],
    ]);
  });

  it('is quick: four steps that do nothing end within milliseconds of the commit', async () => {
    await run([noop]);
    const times: number[] = [];
    for (let n = 0; n < 30; n += 1) {
      const ended = performance.now();
      await until(await insert('test.noop'), 'done');
      times.push(performance.now() - ended);
    }
    times.sort((a, b) => a - b);
    // The scan alone would take 1.5 s. On a quiet machine half of them take 7 ms; here the machine may be busy.
    expect(times[3]).toBeLessThan(300);
  });

  it('turns round on a permanent failure and undoes every step, newest first, also those that never began', async () => {
    const undone: string[] = [];
    const undo = (name: string) => async (ctx: { failure: unknown }) =>
      void undone.push(`${name} ${JSON.stringify(ctx.failure)}`);
    const flow = defineFlow({
      kind: 'test.turn',
      steps: [
        { name: 'one', ensure: async () => 1, undoEnsure: undo('one') },
        {
          name: 'two',
          tx: async () => Promise.reject(new Permanent('no room', { kind: 'conflict' })),
          undoEnsure: undo('two'),
        },
        { name: 'three', ensure: async () => 3, undoEnsure: undo('three') },
      ],
    });
    await run([flow]);
    const ended = await until(await insert('test.turn'), 'undone');
    const why = '{"kind":"conflict","message":"no room","cause":"no room"}';
    expect(undone).toEqual([`three ${why}`, `two ${why}`, `one ${why}`]);
    expect(ended).toMatchObject({ failureKind: 'conflict', failure: 'no room', direction: 'undo' });
  });

  it('backs off, counts, keeps the private cause apart, and gets stuck; stuck tasks yield, resume and are abandoned', async () => {
    let broken = true;
    const flow = defineFlow({
      kind: 'test.stuck',
      maxAttempts: 3,
      steps: [{ name: 'one', ensure: async () => (broken ? Promise.reject(new Error('secret host 10.0.0.1')) : 1) }],
    });
    await run([flow, noop]);
    const id = await insert('test.stuck');
    const stuck = await until(id, 'stuck');
    expect(stuck).toMatchObject({
      attempt: 3,
      step: 'one',
      trouble: expect.stringContaining('unexpected'),
      troubleCause: 'secret host 10.0.0.1',
    });
    expect(stuck.steps).toMatchObject([{ step: 'one', failures: 3, doneAt: null }]);
    broken = false;
    expect(await db.tx((tx) => resumeTask(tx, id))).toBe(true);
    await until(id, 'done');
    broken = true;
    const second = await insert('test.stuck');
    await until(second, 'stuck');
    expect(await db.tx((tx) => abandonTask(tx, second, 'by hand'))).toBe(true);
    const third = await insert('test.stuck', { key: `thing/${second}` });
    await until(third, 'stuck');
    await until(await insert('test.noop', { key: `thing/${second}` }), 'done');
    expect(await task(third)).toMatchObject({ state: 'abandoned', note: expect.stringContaining('superseded') });
  });

  it('goes on by itself, soon, after an outage that was longer than its patience', async () => {
    let away = true;
    const flow = defineFlow({
      kind: 'test.outage',
      maxAttempts: 2,
      steps: [{ name: 'one', ensure: async () => (away ? Promise.reject(fail.unavailable('network is away')) : 1) }],
    });
    await run([flow], { scanMs: 100 });
    const id = await insert('test.outage');
    await until(id, 'stuck');
    away = false;
    await until(id, 'done');
  });

  it('gives up by undoing where the flow says so', async () => {
    let undone = 0;
    const flow = defineFlow({
      kind: 'test.give-up',
      maxAttempts: 2,
      exhausted: 'undo',
      steps: [
        {
          name: 'one',
          ensure: async () => Promise.reject(fail.unavailable('network is away')),
          undoEnsure: async () => {
            undone += 1;
          },
        },
      ],
    });
    await run([flow]);
    expect(await until(await insert('test.give-up'), 'undone')).toMatchObject({
      failureKind: 'unavailable',
      failure: 'network is away',
    });
    expect(undone).toBe(1);
  });

  it('leases only the kinds and versions it knows', async () => {
    await run([noop]);
    const later = await insert('test.noop', { version: 2 });
    await delay(200);
    expect(await task(later)).toMatchObject({ state: 'running', startedAt: null });
    await run([{ ...noop, version: 2 }]);
    await until(later, 'done');
  });
});

describe('one task per key', () => {
  it('refuses a second, or queues it behind the first', async () => {
    let go = false;
    const flow = defineFlow({
      kind: 'test.wait',
      steps: [{ name: 'one', ensure: async () => (go ? 1 : Promise.reject(new NotYet(20))) }],
    });
    await run([flow, noop]);
    const first = await insert('test.wait');
    const key = `thing/${first}`;
    expect(isFailure(await insert('test.noop', { key }).catch((error: unknown) => error), 'conflict')).toBe(true);
    const second = await insert('test.noop', { key, queue: true });
    expect(
      isFailure(await insert('test.noop', { key, queue: true }).catch((error: unknown) => error), 'conflict'),
    ).toBe(true);
    expect((await task(second)).state).toBe('queued');
    go = true;
    const [a, b] = [await until(first, 'done'), await until(second, 'done')];
    expect(b.startedAt!.getTime()).toBeGreaterThanOrEqual(a.finishedAt!.getTime());
  });

  it('turns a cancelled task round and then runs what waited: deleting while building', async () => {
    const events: string[] = [];
    const build = defineFlow({
      kind: 'test.build',
      steps: [
        {
          name: 'one',
          ensure: async () => void events.push('do one'),
          undoEnsure: async () => void events.push('undo one'),
        },
        {
          name: 'two',
          ensure: async () => Promise.reject(new NotYet(10_000)),
          undoEnsure: async () => void events.push('undo two'),
        },
      ],
    });
    const remove = defineFlow({
      kind: 'test.remove',
      cancellable: false,
      steps: [{ name: 'one', ensure: async () => void events.push('remove') }],
    });
    await run([build, remove]);
    const first = await insert('test.build');
    await delay(100);
    const second = randomUUID();
    await db.tx(async (tx) => {
      expect(await requestCancel(tx, `thing/${first}`)).toEqual([first]);
      await insertTask(tx, { id: second, kind: 'test.remove', key: `thing/${first}`, input: {}, queue: true });
    });
    await until(second, 'done', 1_000);
    expect(events).toEqual(['do one', 'undo two', 'undo one', 'remove']);
    expect(await task(first)).toMatchObject({ state: 'undone', failureKind: 'cancelled' });
  });
});
