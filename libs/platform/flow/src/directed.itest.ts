/** One test for each fence, and for each way in which a durable flow is known to go wrong without the rule it proves. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { delay, fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { FencedReceiver, type ScratchDatabase, scratchDatabase } from '#libs/testing';
import {
  type AnyFlow,
  callInDebts,
  defineFlow,
  enqueue,
  FlowRunner,
  type FlowRunnerOptions,
  flowMigrations,
  insertTask,
  NotYet,
  type OutboxMessage,
  OutboxRelay,
  Owed,
  openDebts,
  Permanent,
  raiseFence,
  type TaskHistory,
  taskHistory,
  wakeTasks,
} from './index.js';

let scratch: ScratchDatabase;
let db: Db;
beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations], { poolSize: 12 });
  db = scratch.db;
  await db.exec('create table mark (key text, what text)');
});
afterAll(() => scratch.drop());

const runners: FlowRunner[] = [];
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop(0);
});

/** A runner as another process has it: with a pool of its own where asked. */
async function run(flows: AnyFlow[], options: Partial<FlowRunnerOptions> = {}): Promise<FlowRunner> {
  const runner = new FlowRunner({ db, flows, owner: randomUUID(), scanMs: 50, ...options });
  runners.push(runner);
  await runner.start();
  return runner;
}

async function insert(kind: string, more: { key?: string; projectId?: string; input?: unknown } = {}): Promise<string> {
  const id = randomUUID();
  await db.tx((tx) => insertTask(tx, { id, kind, key: more.key ?? `thing/${id}`, projectId: 'p', input: {}, ...more }));
  return id;
}

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

/** Another process takes the task over: draws the next fence and forgets the lease. */
const steal = (id: string): Promise<number> =>
  db.exec(`update task set fence = nextval('flow_fence'), lease_until = null, lease_owner = null where id = $1`, [id]);

describe('the lease', () => {
  it('is kept while an ensure takes longer than it, with two runners about: one call, no live-lock', async () => {
    let calls = 0;
    const flow = defineFlow({
      kind: 'test.slow',
      steps: [
        {
          name: 'slow',
          timeoutMs: 10_000,
          ensure: async () => {
            calls += 1;
            await delay(4_000);
          },
        },
      ],
    });
    const other = await scratch.open();
    await run([flow], { leaseMs: 1_500 });
    await run([flow], { leaseMs: 1_500, db: other });
    await until(await insert('test.slow'), 'done', 20_000);
    expect(calls).toBe(1);
  });

  it('ends a call that hangs: the step fails, is repeated under a new fence, and its signal is aborted', async () => {
    const fences: number[] = [];
    let aborted = false;
    const flow = defineFlow({
      kind: 'test.hang',
      steps: [
        {
          name: 'hang',
          timeoutMs: 100,
          ensure: async (ctx) => {
            fences.push(ctx.next().fence);
            ctx.signal.addEventListener('abort', () => {
              aborted = true;
            });
            if (fences.length === 1) await new Promise(() => undefined);
          },
        },
      ],
    });
    await run([flow], { random: () => 0 });
    const done = await until(await insert('test.hang'), 'done');
    expect(done.steps[0]).toMatchObject({ failures: 1, failure: 'Step hang did not answer in time.' });
    expect([fences.length, fences[1]! > fences[0]!, aborted]).toEqual([2, true, true]);
  });

  it('of a dead process is taken over when a process of that name starts again, long before it runs out', async () => {
    const flow = defineFlow({ kind: 'test.reborn', steps: [{ name: 'one', ensure: async () => 1 }] });
    const id = await insert('test.reborn');
    await db.exec(`update task set lease_until = now() + interval '1 hour', lease_owner = 'compute' where id = $1`, [
      id,
    ]);
    await run([flow], { owner: 'compute' });
    await until(id, 'done', 500);
  });

  it('whose answer was lost on the way is taken back at once, not when it runs out', async () => {
    const flow = defineFlow({ kind: 'test.orphan', steps: [{ name: 'one', ensure: async () => 1 }] });
    let cut = true;
    const query: Db['query'] = async (sql, params) => {
      const rows = await db.query<never>(sql, params);
      const leased = typeof sql !== 'string' && sql.name === 'flow.lease' && rows.length > 0;
      if (!leased || !cut) return rows;
      cut = false;
      throw fail.unavailable('cut after the commit');
    };
    const flaky: Db = Object.assign(Object.create(db) as Db, { query });
    await run([flow], { db: flaky, owner: 'flaky' });
    await until(await insert('test.orphan'), 'done', 2_000);
    expect(cut).toBe(false);
  });

  it('that was taken back is not held again by a record that comes late', async () => {
    const id = randomUUID();
    let calls = 0;
    const flow = defineFlow({
      kind: 'test.taken-back',
      steps: [
        {
          name: 'one',
          ensure: async () => {
            calls += 1;
            if (calls > 1) return;
            await db.exec('update task set lease_until = null, lease_owner = null where id = $1', [id]);
          },
        },
        { name: 'two', ensure: async () => 2 },
      ],
    });
    await run([flow], { scanMs: 1_000 });
    await db.tx((tx) => insertTask(tx, { id, kind: 'test.taken-back', key: `thing/${id}`, input: {} }));
    await until(id, 'done', 8_000);
    expect(calls).toBe(2);
  });

  it('guards our own database: what a runner writes after it has lost the task is rolled back', async () => {
    const id = randomUUID();
    const key = `thing/${id}`;
    let calls = 0;
    const flow = defineFlow({
      kind: 'test.stale',
      steps: [
        {
          name: 'write',
          tx: async (tx) => {
            calls += 1;
            await tx.exec('insert into mark values ($1, $2)', [key, `call ${calls}`]);
            if (calls > 1) return;
            await steal(id);
            await delay(200);
          },
        },
      ],
    });
    await run([flow]);
    await run([flow]);
    await db.tx((tx) => insertTask(tx, { id, kind: 'test.stale', key, input: {} }));
    await until(id, 'done');
    expect(await db.query('select what from mark where key = $1', [key])).toEqual([{ what: 'call 2' }]);
  });
});

describe('the fence of a receiver', () => {
  it('holds off a stalled worker that finishes its call after another has undone everything', async () => {
    const agent = new FencedReceiver<string>();
    const key = `server/${randomUUID()}`;
    let first = true;
    let id = '';
    let late: Promise<unknown> = Promise.resolve();
    const flow = defineFlow({
      kind: 'test.stalled',
      steps: [
        {
          name: 'boot',
          ensure: async (ctx) => {
            const pair = ctx.next();
            if (!first) return agent.set(key, pair, 'running');
            first = false;
            await steal(id);
            late = delay(400).then(() => agent.set(key, pair, 'running'));
            return late;
          },
          undoEnsure: async (ctx) => agent.set(key, ctx.next(), undefined),
        },
        { name: 'activate', tx: async () => Promise.reject(new Permanent('no')) },
      ],
    });
    await run([flow]);
    await run([flow]);
    id = randomUUID();
    await db.tx((tx) => insertTask(tx, { id, kind: 'test.stalled', key, input: {} }));
    await until(id, 'undone');
    await expect(late).rejects.toThrow('has seen');
    expect([agent.present(), agent.refused]).toEqual([[], 1]);
  });

  it('refuses a do that is repeated late within one lease, after its undo', async () => {
    const agent = new FencedReceiver<string>();
    const key = `server/${randomUUID()}`;
    const sent: { fence: number; n: number }[] = [];
    const flow = defineFlow({
      kind: 'test.late',
      steps: [
        {
          name: 'boot',
          ensure: async (ctx) => {
            sent.push(ctx.next());
            agent.set(key, sent[0]!, 'running');
          },
          undoEnsure: async (ctx) => {
            sent.push(ctx.next());
            agent.set(key, sent[1]!, undefined);
          },
        },
        { name: 'activate', ensure: async () => Promise.reject(new Permanent('no')) },
      ],
    });
    await run([flow]);
    await until(await insert('test.late', { key }), 'undone');
    expect(sent[0]!.fence).toBe(sent[1]!.fence);
    expect(() => agent.set(key, sent[0]!, 'running')).toThrow('has seen');
    expect(agent.present()).toEqual([]);
  });

  it('lets a fresh task through on a resource that has seen many leases, and is drawn from one sequence for all', async () => {
    const agent = new FencedReceiver<string>();
    const key = `server/${randomUUID()}`;
    let failures = 5;
    const create = defineFlow({
      kind: 'test.many',
      steps: [
        {
          name: 'boot',
          ensure: async (ctx) => {
            agent.set(key, ctx.next(), 'running');
            failures -= 1;
            if (failures > 0) throw fail.unavailable('again');
          },
        },
      ],
    });
    const remove = defineFlow({
      kind: 'test.fresh',
      maxAttempts: 1,
      steps: [{ name: 'boot', ensure: async (ctx) => agent.set(key, ctx.next(), undefined) }],
    });
    await run([create, remove], { random: () => 0 });
    await until(await insert('test.many', { key }), 'done', 10_000);
    await until(await insert('test.fresh', { key }), 'done');
    expect([agent.present(), agent.refused]).toEqual([[], 0]);
  }, 20_000);

  it('stays valid beyond a restore: the sequence is raised above what receivers have seen', async () => {
    await raiseFence(db, 5_000_000);
    const flow = defineFlow({ kind: 'test.restored', steps: [{ name: 'one', ensure: async (ctx) => ctx.next() }] });
    await run([flow]);
    const done = await until(await insert('test.restored'), 'done');
    expect(done.steps[0]!.fence).toBeGreaterThan(5_000_000);
    await raiseFence(db, 7);
    const next = await until(await insert('test.restored'), 'done');
    expect(next.steps[0]!.fence).toBeGreaterThan(done.steps[0]!.fence);
  });
});

describe('waiting', () => {
  it('does not lose a wake that comes between the check and the park', async () => {
    const key = `server/${randomUUID()}`;
    let ready = false;
    let looks = 0;
    const flow = defineFlow({
      kind: 'test.wake',
      steps: [
        {
          name: 'observe',
          ensure: async () => {
            looks += 1;
            if (ready) return;
            // The report arrives after our look and before our park.
            ready = true;
            await wakeTasks(db, [key]);
            throw new NotYet(60_000);
          },
        },
      ],
    });
    await run([flow], { scanMs: 60_000 });
    await until(await insert('test.wake', { key }), 'done', 500);
    expect(looks).toBe(2);
  });

  it('is cut short by a wake from another process, and bounded by a deadline', async () => {
    let ready = false;
    const flow = defineFlow({
      kind: 'test.wake-other',
      steps: [
        {
          name: 'observe',
          deadlineMs: 300,
          ensure: async () => (ready ? 1 : Promise.reject(new NotYet(ready ? 60_000 : 250))),
        },
      ],
    });
    const other = await scratch.open();
    await run([flow], { scanMs: 60_000 });
    const never = await insert('test.wake-other');
    expect(await until(never, 'undone')).toMatchObject({ failure: 'Step observe did not come to an end within 0 s.' });
    const patient = defineFlow({
      kind: 'test.wake-patient',
      steps: [{ name: 'observe', ensure: async () => (ready ? 1 : Promise.reject(new NotYet(60_000))) }],
    });
    await run([patient], { scanMs: 60_000 });
    const key = `server/${randomUUID()}`;
    const id = await insert('test.wake-patient', { key });
    await delay(100);
    ready = true;
    await wakeTasks(other, [key]);
    await until(id, 'done', 500);
  });

  it('works in undo as in do, and an undo that fails is repeated', async () => {
    const seen: string[] = [];
    const flow = defineFlow({
      kind: 'test.undo-wait',
      steps: [
        {
          name: 'one',
          ensure: async () => 1,
          undoEnsure: async () => {
            seen.push('undo');
            if (seen.length < 3) throw new NotYet(10);
            if (seen.length < 4) throw new Permanent('even a permanent one');
          },
        },
        { name: 'two', ensure: async () => Promise.reject(new Permanent('turn')) },
      ],
    });
    await run([flow], { random: () => 0 });
    const ended = await until(await insert('test.undo-wait'), 'undone');
    expect(seen).toHaveLength(4);
    expect(ended).toMatchObject({ failure: 'turn', attempt: 0 });
  });
});

describe('fairness', () => {
  it('lets twenty good tasks pass eight that fail, though these hold their slots for long', async () => {
    const bad = defineFlow({
      kind: 'test.bad',
      steps: [{ name: 'hang', timeoutMs: 1_500, ensure: () => new Promise(() => undefined) }],
    });
    const good = defineFlow({ kind: 'test.good', steps: [{ name: 'one', ensure: async () => delay(5) }] });
    await run([bad, good], { concurrency: 4, random: () => 0 });
    await Promise.all(Array.from({ length: 8 }, () => insert('test.bad')));
    // By now each has hung once; from here on they are retries, and may take no more than half of the slots.
    await delay(3_500);
    const begun = performance.now();
    const ids = await Promise.all(Array.from({ length: 20 }, () => insert('test.good')));
    for (const id of ids) await until(id, 'done');
    expect(performance.now() - begun).toBeLessThan(1_400);
    await db.exec(`update task set state = 'abandoned' where kind = 'test.bad'`);
  });

  it('gives each project its turn, however much another has queued', async () => {
    const order: string[] = [];
    const flow = defineFlow({
      kind: 'test.fair',
      steps: [
        {
          name: 'one',
          ensure: async (ctx) => {
            order.push(ctx.projectId);
            await delay(5);
          },
        },
      ],
    });
    await db.tx(async (tx) => {
      for (let n = 0; n < 60; n += 1)
        await insertTask(tx, { id: randomUUID(), kind: 'test.fair', key: `fair/${n}`, projectId: 'big', input: {} });
    });
    await delay(20);
    const small = await insert('test.fair', { projectId: 'small' });
    await run([flow], { concurrency: 2 });
    await until(small, 'done');
    expect(order.indexOf('small')).toBeLessThan(4);
    await db.exec(`delete from task where kind = 'test.fair'`);
  });
});

describe('debts', () => {
  it('let the task end while a node is away; they are settled under the old fence when it returns', async () => {
    const agent = new FencedReceiver<string>();
    const key = `server/${randomUUID()}`;
    let away = false;
    const flow = defineFlow({
      kind: 'test.debt',
      steps: [
        {
          name: 'boot',
          ensure: async (ctx) => agent.set(key, ctx.next(), 'running'),
          undoEnsure: async (ctx) => {
            if (away) throw new Owed('node-1', 'no report for 31 s');
            agent.set(key, ctx.next(), undefined);
          },
        },
        {
          name: 'fail',
          ensure: async () => {
            away = true;
            throw new Permanent('turn');
          },
        },
      ],
    });
    await run([flow]);
    const ended = await until(await insert('test.debt', { key }), 'undone');
    expect(ended.debts).toMatchObject([{ step: 'boot', direction: 'undo', creditor: 'node-1', settledAt: null }]);
    expect(agent.present()).toEqual([key]);
    away = false;
    await db.tx((tx) => callInDebts(tx, 'node-1'));
    await delay(200);
    expect(agent.present()).toEqual([]);
    expect(agent.accepted.at(-1)!.pair.fence).toBe(ended.steps.find((step) => step.step === 'boot')!.fence);
    expect(await openDebts(db)).toEqual([]);
  });

  it('are void when a later task has been at the creditor meanwhile: nothing of it is undone', async () => {
    const agent = new FencedReceiver<string>();
    const key = `server/${randomUUID()}`;
    let away = true;
    const stop = defineFlow({
      kind: 'test.debt-old',
      steps: [
        {
          name: 'remove',
          ensure: async (ctx) => {
            if (away) throw new Owed('node-2', 'away');
            agent.set(key, ctx.next(), undefined);
          },
        },
      ],
    });
    const boot = defineFlow({
      kind: 'test.debt-new',
      steps: [{ name: 'boot', ensure: async (ctx) => agent.set(key, ctx.next(), 'running') }],
    });
    await run([stop, boot]);
    expect(await until(await insert('test.debt-old', { key }), 'done')).toMatchObject({ steps: [{ outcome: 'owed' }] });
    await until(await insert('test.debt-new', { key }), 'done');
    away = false;
    await db.tx((tx) => callInDebts(tx, 'node-2'));
    await delay(200);
    expect([agent.present(), agent.refused, await openDebts(db)]).toEqual([[key], 1, []]);
  });
});

describe('an outage of the database', () => {
  it('in the middle of a flow costs nothing but time: the effect of a tx step commits once', async () => {
    const key = `thing/${randomUUID()}`;
    const operator = await scratch.open({ applicationName: 'operator', poolSize: 1 });
    const cut = (): Promise<unknown> =>
      operator.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> 'operator'`,
      );
    const mark = (tx: Tx, what: string): Promise<number> => tx.exec('insert into mark values ($1, $2)', [key, what]);
    let runs = 0;
    const flow = defineFlow({
      kind: 'test.outage',
      steps: [
        { name: 'one', tx: (tx) => mark(tx, 'one') },
        { name: 'cut', ensure: cut },
        {
          name: 'two',
          tx: async (tx) => {
            await mark(tx, 'two');
            runs += 1;
            if (runs === 1) await cut();
          },
        },
      ],
    });
    await run([flow]);
    const id = await insert('test.outage', { key });
    const end = performance.now() + 5_000;
    const state = async () => (await taskHistory(operator, { id }))[0]?.state;
    while ((await state()) !== 'done' && performance.now() < end) await delay(20);
    expect((await taskHistory(operator, { id }))[0]).toMatchObject({
      steps: [{ failures: 0 }, { failures: 0 }, { failures: 0 }],
    });
    expect(await operator.query('select what from mark where key = $1 order by what', [key])).toEqual([
      { what: 'one' },
      { what: 'two' },
    ]);
    expect(runs).toBe(2);
  });
});

describe('the outbox', () => {
  it('sends each message once the transaction has committed, again until confirmed, and never an expired one', async () => {
    const sent: string[] = [];
    let broken = 2;
    const publish = async (messages: readonly OutboxMessage[]): Promise<void> => {
      broken -= 1;
      if (broken >= 0) throw new Error('the broker is away');
      sent.push(...messages.map((message) => `${message.topic} ${JSON.stringify(message.body)}`));
    };
    const relay = new OutboxRelay(db, publish);
    await db.tx((tx) => enqueue(tx, { topic: 'stale', body: 0, expiresInMs: 0 }));
    await relay.start();
    await db.tx((tx) => enqueue(tx, { topic: 'node-1', body: { a: 1 } }));
    await db
      .tx(async (tx) => {
        await enqueue(tx, { topic: 'never', body: 0 });
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await delay(800);
    expect(sent).toEqual(['node-1 {"a":1}']);
    const begun = performance.now();
    await db.tx((tx) => enqueue(tx, { topic: 'node-2', body: {} }));
    while (sent.length < 2) await delay(1);
    expect(performance.now() - begun).toBeLessThan(100);
    await relay.stop();
    expect(await db.query('select * from outbox')).toEqual([]);
  });
});
