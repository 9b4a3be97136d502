/** Real processes, really killed: whatever happens to workers and database, every task ends and nothing is left over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { delay, isFailure } from '#libs/kernel';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { flowMigrations, flowStatus, insertTask, requestCancel } from './index.js';

const ROOT = new URL('../../../..', import.meta.url).pathname;
const SERVERS = 200;

let scratch: ScratchDatabase;
let world: ScratchDatabase;
const workers = new Map<string, ChildProcess>();
const faults = { kills: 0, stops: 0, cuts: 0 };

beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations], { applicationName: 'driver' });
  world = await scratchDatabase();
  await scratch.db.exec(
    'create table server (id uuid primary key, state text not null, effects int not null default 0)',
  );
  await world.db.exec(
    'create table thing (id text primary key, fence bigint not null, n bigint not null, present boolean not null)',
  );
});
afterAll(async () => {
  for (const worker of workers.values()) worker.kill('SIGKILL');
  await delay(100);
  await scratch.drop();
  await world.drop();
});

function begin(name: string): void {
  const hooks = `${ROOT}/libs/testing/run-source.mjs`;
  const script = `${ROOT}/libs/platform/flow/fixtures/crash-worker.ts`;
  const args = ['--conditions=source', '--import', hooks, script, scratch.url, world.url, name];
  workers.set(name, spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] }));
}

/** The database may be cut while we talk to it, as it may be for an api: try again. */
async function insisting<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isFailure(error, 'unavailable')) throw error;
      await delay(50);
    }
  }
}

async function create(server: string, fails: boolean): Promise<void> {
  const id = randomUUID();
  await insisting(() =>
    scratch.db.tx(async (tx) => {
      if ((await tx.exec(`insert into server values ($1, 'new') on conflict do nothing`, [server])) === 0) return;
      await insertTask(tx, {
        id,
        kind: 'crash.create',
        key: `server/${server}`,
        projectId: `p${id[0]}`,
        input: { server, fails },
      });
    }),
  );
}

async function remove(server: string): Promise<void> {
  const id = randomUUID();
  await insisting(() =>
    scratch.db.tx(async (tx) => {
      if ((await tx.exec(`update server set state = state where id = $1`, [server])) === 0) return;
      if (await tx.one(`select 1 from task where key = $1 and kind = 'crash.delete'`, [`server/${server}`])) return;
      await requestCancel(tx, `server/${server}`);
      await insertTask(tx, {
        id,
        kind: 'crash.delete',
        key: `server/${server}`,
        input: { server, fails: false },
        queue: true,
      });
    }),
  );
}

/** Kills, freezes beyond the lease, cuts every connection; a killed worker is back within half a second, as supervised. */
async function havoc(untilMs: number): Promise<void> {
  const names = [...workers.keys()];
  while (performance.now() < untilMs) {
    const name = names[Math.floor(Math.random() * names.length)]!;
    const dice = Math.random();
    if (dice < 0.65) {
      workers.get(name)!.kill('SIGKILL');
      faults.kills += 1;
      setTimeout(() => begin(name), 200);
    } else if (dice < 0.85) {
      const worker = workers.get(name)!;
      worker.kill('SIGSTOP');
      faults.stops += 1;
      setTimeout(() => worker.kill('SIGCONT'), 2_500);
    } else {
      const sql = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
      await insisting(() => scratch.db.query(sql));
      faults.cuts += 1;
    }
    await delay(500 + Math.random() * 700);
  }
}

it(`ends all of ${SERVERS} creates and the deletes of half of them, whatever is killed, and leaves nothing behind`, async () => {
  for (const name of ['worker-1', 'worker-2', 'worker-3']) begin(name);
  const chaos = havoc(performance.now() + 20_000);
  const servers: string[] = Array.from({ length: SERVERS }, () => randomUUID());
  const deleted = new Set<string>(servers.filter((_server, index) => index % 2 === 0));
  const removals: Promise<void>[] = [];
  for (const [index, server] of servers.entries()) {
    await create(server, index % 5 === 1);
    if (deleted.has(server)) removals.push(delay(Math.random() * 1_500).then(() => remove(server)));
    await delay(100);
  }
  await Promise.all([chaos, ...removals]);
  const calm = performance.now();
  for (;;) {
    const status = await insisting(() => flowStatus(scratch.db));
    if (status.running + status.queued + status.stuck === 0) break;
    expect(performance.now() - calm, JSON.stringify(status)).toBeLessThan(60_000);
    await delay(100);
  }
  const settledMs = Math.round(performance.now() - calm);
  const rows = await scratch.db.query<{ id: string; state: string; effects: number }>('select * from server');
  const present = new Set(
    (await world.db.query<{ id: string }>('select id from thing where present')).map((row) => row.id),
  );
  const findings: string[] = [];
  for (const { id, state, effects } of rows) {
    const index = servers.indexOf(id);
    const wanted = deleted.has(id) ? 'deleted' : index % 5 === 1 ? 'error' : 'active';
    if (state !== wanted) findings.push(`${id} is ${state}, not ${wanted}`);
    if (effects !== (wanted === 'active' ? 1 : 0)) findings.push(`${id} was activated ${effects} times`);
    for (const thing of ['claim', 'port', 'domain']) {
      if (present.has(`${thing}/${id}`) !== (wanted === 'active'))
        findings.push(`${thing} of ${wanted} ${id}: ${present.has(`${thing}/${id}`)}`);
    }
  }
  expect(findings).toEqual([]);
  expect(rows).toHaveLength(SERVERS);
  console.error(`${JSON.stringify(faults)}; everything final ${settledMs} ms after the last fault`);
}, 120_000);
