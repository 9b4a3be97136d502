import { randomUUID } from 'node:crypto';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { type Db, isUnique, isViolation, keyset, openDb, type SortKey, type Tx } from './index.js';

const dir = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const sets = [
  { set: 'first', dir: dir('first') },
  { set: 'second', dir: dir('second') },
];

interface Pet {
  id: string;
  name: string;
  weight: number | null;
}
const PetMap = new EntitySchema<Pet>({
  name: 'pet',
  columns: { id: { type: 'uuid', primary: true }, name: { type: 'text' }, weight: { type: 'int', nullable: true } },
});

let scratch: ScratchDatabase;
let db: Db;
beforeAll(async () => {
  scratch = await scratchDatabase(sets, { entities: [PetMap], poolSize: 6 });
  db = scratch.db;
});
afterAll(() => scratch.drop());

describe('values', () => {
  it('reads bigints as numbers, timestamps as dates, and refuses to round', async () => {
    const row = await db.one<{ big: number; at: Date; day: string; doc: unknown }>(
      `select 9007199254740991::bigint big, timestamptz '2026-01-02 03:04:05+02' at, date '2026-01-02' as day, '{"a":1}'::jsonb doc`,
    );
    expect(row).toEqual({
      big: 9007199254740991,
      at: new Date('2026-01-02T01:04:05Z'),
      day: '2026-01-02',
      doc: { a: 1 },
    });
    await expect(db.one('select 9007199254740993::bigint')).rejects.toThrow('beyond');
  });

  it('prepares named statements', async () => {
    const statement = { name: 'test.add', text: 'select $1::int + 1 as sum' };
    for (let n = 0; n < 20; n += 1) expect(await db.one(statement, [n])).toEqual({ sum: n + 1 });
  });
});

describe('errors', () => {
  it('names the violated constraint, in and outside transactions and from query builders', async () => {
    await db.exec(`insert into pet (name) values ('rex')`);
    const again = `insert into pet (name) values ('rex')`;
    const direct = await db.exec(again).catch((error: unknown) => error);
    expect(isUnique(direct, 'pet_name_unique')).toBe(true);
    const within = await db.tx((tx) => tx.exec(again)).catch((error: unknown) => error);
    expect(isUnique(within, 'pet_name_unique')).toBe(true);
    const built = await db
      .tx((tx) =>
        tx.manager.createQueryBuilder().insert().into(PetMap).values({ id: randomUUID(), name: 'rex' }).execute(),
      )
      .catch((error: unknown) => error);
    expect(isUnique(built, 'pet_name_unique')).toBe(true);
    const check = await db.exec(`insert into pet (name, weight) values ('x', -1)`).catch((error: unknown) => error);
    expect(isViolation(check, 'check', 'pet_weight_positive')).toBe(true);
  });

  it('lets the errors of a closure pass', async () => {
    const mine = new Error('mine');
    await expect(db.tx(() => Promise.reject(mine))).rejects.toBe(mine);
  });
});

describe('transactions', () => {
  it('runs the closure again after a deadlock', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await db.exec(`insert into pet (id, name) values ($1, 'a'), ($2, 'b')`, [a, b]);
    let runs = 0;
    const touch = (first: string, second: string) =>
      db.tx(async (tx) => {
        runs += 1;
        await tx.exec('update pet set weight = coalesce(weight, 0) + 1 where id = $1', [first]);
        await delay(100);
        await tx.exec('update pet set weight = coalesce(weight, 0) + 1 where id = $1', [second]);
      });
    await Promise.all([touch(a, b), touch(b, a)]);
    expect(runs).toBeGreaterThan(2);
    expect(await db.query('select weight from pet where id = any($1)', [[a, b]])).toEqual([
      { weight: 2 },
      { weight: 2 },
    ]);
  });

  it('can not be used when they are over', async () => {
    let leaked: Tx | undefined;
    await db.tx(async (tx) => {
      leaked = tx;
      await tx.manager.query('select 1');
    });
    await expect(leaked!.exec('select 1')).rejects.toThrow('over');
    await expect(leaked!.manager.query('select 1')).rejects.toThrow(/released/i);
  });

  it('rolls back what a failed closure did, and shares its connection with query builders', async () => {
    const id = randomUUID();
    await db
      .tx(async (tx) => {
        await tx.exec(`insert into pet (id, name) values ($1, 'gone')`, [id]);
        expect(
          await tx.manager.getRepository(PetMap).createQueryBuilder('p').where('p.id = :id', { id }).getCount(),
        ).toBe(1);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(await db.one('select 1 from pet where id = $1', [id])).toBeUndefined();
  });
});

describe('notifications', () => {
  it('reach other pools and this one, once, and only after a commit', async () => {
    const other = await scratch.open();
    const heard: string[] = [];
    const stops = [
      await db.listen('pets', (p) => heard.push(`own ${p}`)),
      await other.listen('pets', (p) => heard.push(`other ${p}`)),
    ];
    await db
      .tx(async (tx) => {
        tx.notify('pets', 'never');
        throw new Error('no');
      })
      .catch(() => undefined);
    await db.tx(async (tx) => tx.notify('pets', "it's"));
    await delay(100);
    expect(heard.sort()).toEqual(["other it's", "own it's"]);
    for (const stop of stops) stop();
  });

  it('reconnect after the connection is cut, and tell the listener to look', async () => {
    const heard: (string | undefined)[] = [];
    await db.listen('cut', (payload) => heard.push(payload));
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test-listen' and datname = current_database()`,
    );
    await delay(500);
    expect(heard).toEqual([undefined]);
  });
});

describe('a database that comes and goes', () => {
  it('fails as unavailable when a connection dies, and works again at once', async () => {
    const sleeping = db.query('select pg_sleep(5)').catch((error: unknown) => error);
    const open = db.tx(async (tx) => {
      await delay(300);
      await tx.exec('select 1');
    });
    const failed = open.catch((error: unknown) => error);
    await delay(100);
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect(isFailure(await sleeping, 'unavailable')).toBe(true);
    expect(isFailure(await failed, 'unavailable')).toBe(true);
    expect(await db.one('select 1 as one')).toEqual({ one: 1 });
  });

  it('waits at start until it is told to stop', async () => {
    const options = {
      url: 'postgres://nobody@127.0.0.1:1/none',
      applicationName: 'test',
      signal: AbortSignal.timeout(400),
    };
    const error = await openDb(options).catch((thrown: unknown) => thrown);
    expect(isFailure(error, 'unavailable')).toBe(true);
  });
});

describe('a pooled connection that is lost', () => {
  it('is logged by its reason, without the client that the error holds', async () => {
    const lines: unknown[] = [];
    const log = { warn: (line: unknown) => lines.push(line) } as unknown as Log;
    const other = await openDb({ url: scratch.url, applicationName: 'doomed', log });
    await other.one('select 1');
    await db.exec(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doomed'`);
    while (!lines.length) await delay(10);
    await other.close();
    expect(lines).toEqual([{ reason: expect.stringContaining('terminating connection') }]);
  });
});

describe('migrations', () => {
  it('run once when several processes start together', async () => {
    const fresh = await scratchDatabase();
    const options = { url: fresh.url, applicationName: 'test', migrationSets: sets, poolSize: 2 };
    const pools = await Promise.all([openDb(options), openDb(options), openDb(options)]);
    expect(await fresh.db.query('select set_name, version, name from schema_migration order by set_name')).toEqual([
      { set_name: 'first', version: '0001', name: 'pet' },
      { set_name: 'second', version: '0001', name: 'owner' },
    ]);
    for (const pool of pools) await pool.close();
    await fresh.db.exec(`update schema_migration set checksum = 'other'`);
    await expect(openDb(options)).rejects.toThrow('has changed');
    await fresh.drop();
  });
});

describe('keyset paging', () => {
  const orders: SortKey[][] = [
    [],
    [{ column: 'p.weight', direction: 'desc', nullable: true }],
    [
      { column: 'p.weight', direction: 'asc', nullable: true },
      { column: 'p.name', direction: 'desc' },
    ],
    [{ column: 'p.born', direction: 'desc' }],
    [{ column: 'p.name', direction: 'asc' }],
  ];

  it.each(orders.map((sorts) => [sorts]))('walks every row once in order %j, both ways', async (sorts) => {
    await db.exec('delete from pet');
    await db.exec(
      `insert into pet (name, weight, born) select 'n' || i, nullif(i % 4, 0), now() + (i % 5) * interval '1 us' from generate_series(1, 23) i`,
    );
    const page = async (marker: string | undefined, reverse: boolean): Promise<string[]> => {
      const sql = keyset({ from: 'pet p', sorts, id: 'p.id', marker, limit: 5, reverse });
      return (await db.query<{ id: string }>(`select id from pet p where ${sql.where} ${sql.tail}`, sql.params)).map(
        (row) => row.id,
      );
    };
    const walk = async (reverse: boolean): Promise<string[]> => {
      const seen: string[] = [];
      for (let ids = await page(undefined, reverse); ids.length; ids = await page(ids.at(-1), reverse))
        seen.push(...ids);
      return seen;
    };
    const forward = await walk(false);
    const whole = keyset({ from: 'pet p', sorts, id: 'p.id' });
    const all = (
      await db.query<{ id: string }>(`select id from pet p where ${whole.where} ${whole.tail}`, whole.params)
    ).map((row) => row.id);
    expect(forward).toEqual(all);
    expect((await walk(true)).reverse()).toEqual(all);
  });
});
