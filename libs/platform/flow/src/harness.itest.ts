/** The harness over a flow of the shape that creates have, and proof that it sees what it is for. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';
import { exerciseFlow, FencedReceiver, type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { type AnyFlow, defineFlow, type Flow, flowMigrations, type NewTask, NotYet, type Step } from './index.js';

interface Input {
  server: string;
}

let scratch: ScratchDatabase;
beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations]);
  await scratch.db.exec(
    'create table server (id uuid primary key, state text not null, claims int not null default 0)',
  );
});
afterAll(() => scratch.drop());

const agent = new FencedReceiver<string>();
const setState = (state: string) => async (tx: Tx, ctx: { input: Input }) =>
  void (await tx.exec('update server set state = $2 where id = $1', [ctx.input.server, state]));

const count = (by: number) => async (tx: Tx, ctx: { input: Input }) =>
  void (await tx.exec('update server set claims = claims + $2 where id = $1', [ctx.input.server, by]));

const steps: Step<Input>[] = [
  { name: 'start', tx: setState('building') },
  {
    name: 'count',
    tx: count(1),
    undoTx: (tx, ctx) => (ctx.out('count') === undefined ? Promise.resolve() : count(-1)(tx, ctx)),
  },
  {
    name: 'port',
    ensure: async (ctx) => agent.set(`port/${ctx.input.server}`, ctx.next(), 'up'),
    undoEnsure: async (ctx) => agent.set(`port/${ctx.input.server}`, ctx.next(), undefined),
  },
  {
    name: 'boot',
    ensure: async (ctx) => {
      agent.set(`domain/${ctx.input.server}`, ctx.next(), 'running');
      if (ctx.now.getTime() - ctx.since.getTime() < 20) throw new NotYet(10);
    },
    undoEnsure: async (ctx) => {
      agent.set(`domain/${ctx.input.server}`, ctx.next(), undefined);
      if (ctx.now.getTime() - ctx.since.getTime() < 20) throw new NotYet(10);
    },
  },
  { name: 'at-the-turn', undoTx: async (_tx, ctx) => ctx.failure?.message },
  { name: 'other-node', skip: () => true, ensure: async () => Promise.reject(new Error('never taken')) },
  { name: 'activate', tx: setState('active'), undoTx: setState('error') },
];
const good = defineFlow<Input>({ kind: 'test.create', steps });

async function prepare(kind: string): Promise<NewTask<Input>> {
  const server = randomUUID();
  await scratch.db.exec(`insert into server values ($1, 'new')`, [server]);
  return { id: randomUUID(), kind, key: `server/${server}`, input: { server } };
}

async function audit(task: NewTask<Input>, end: 'done' | 'undone'): Promise<string[]> {
  const { server } = task.input;
  const row = await scratch.db.one<{ state: string; claims: number }>(
    'select state, claims from server where id = $1',
    [server],
  );
  const [state, claims, there] = end === 'done' ? ['active', 1, true] : ['error', 0, false];
  const findings: string[] = [];
  if (row?.state !== state || row.claims !== claims) findings.push(`server is ${JSON.stringify(row)}`);
  for (const key of [`port/${server}`, `domain/${server}`])
    if ((agent.get(key) !== undefined) !== there) findings.push(`${key} is ${agent.get(key)}`);
  return findings;
}

const exercise = (flow: AnyFlow): Promise<string[]> =>
  exerciseFlow<Input>({ db: scratch.db, flow, prepare: () => prepare(flow.kind), audit });

/** The good flow with one step done wrong. */
function withStep(kind: string, step: Step<Input>): Flow<Input> {
  return defineFlow<Input>({ kind, steps: steps.map((each) => (each.name === step.name ? step : each)) });
}

describe('the flow harness', () => {
  it('finds nothing in a good flow', async () => {
    expect(await exercise(good)).toEqual([]);
  }, 60_000);

  it('finds a step without an undo', async () => {
    const findings = await exercise(withStep('test.leaky', { name: 'port', ensure: steps[2]!.ensure! }));
    expect(findings).toContainEqual(expect.stringMatching(/^activate: permanent when do acted: port\/.* is up$/));
  }, 60_000);

  it('finds a step that is not idempotent', async () => {
    const counted = new Map<string, number>();
    const findings = await exercise(
      withStep('test.twice', {
        name: 'port',
        ensure: async (ctx) => {
          counted.set(ctx.input.server, (counted.get(ctx.input.server) ?? 0) + 1);
          await delay(1);
          agent.set(`port/${ctx.input.server}`, ctx.next(), counted.get(ctx.input.server) === 1 ? 'up' : undefined);
        },
        undoEnsure: steps[2]!.undoEnsure!,
      }),
    );
    expect(findings).toContainEqual(expect.stringContaining('port: error when do acted'));
    expect(findings).toContainEqual(expect.stringContaining('port: abandon when do acted'));
  }, 60_000);

  it('finds an undo that minds that nothing happened', async () => {
    const findings = await exercise(withStep('test.careless', { name: 'count', tx: count(1), undoTx: count(-1) }));
    expect(findings).toContainEqual(expect.stringContaining('start: permanent when do acted'));
  }, 60_000);
});
