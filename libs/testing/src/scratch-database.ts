/**
 * A database of one's own for each test file: migrated once into a template, then copied, which takes some 50 ms.
 * The server is that of YAGURA_TEST_PG (a superuser's URL).
 */
import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Db, type DbOptions, type MigrationSet, openDb, readMigrations } from '#libs/platform/db';

const SERVER = process.env['YAGURA_TEST_PG'] ?? 'postgres://yagura:yagura@127.0.0.1:55432/postgres';
const LOCK = 7_246_816;

export interface ScratchDatabase {
  readonly url: string;
  readonly db: Db;
  /** Another pool on the same database, as a second process would have. Closed by `drop`. */
  open(options?: Partial<DbOptions>): Promise<Db>;
  /** Closes every pool and drops the database. */
  drop(): Promise<void>;
}

/** The URL of another database on the test server. */
export function scratchUrl(database: string): string {
  const url = new URL(SERVER);
  url.pathname = `/${database}`;
  return url.href;
}

/** Makes a fresh database with the given migrations, in their order. */
export async function scratchDatabase(
  sets: readonly MigrationSet[] = [],
  options: Partial<DbOptions> = {},
): Promise<ScratchDatabase> {
  const name = `scratch_${randomBytes(6).toString('hex')}`;
  await createFrom(await template(sets), name);
  const url = scratchUrl(name);
  const pools: Db[] = [];
  const open = async (more: Partial<DbOptions> = {}): Promise<Db> => {
    const db = await openDb({ url, applicationName: 'test', poolSize: 8, ...options, ...more });
    pools.push(db);
    return db;
  };
  const drop = async (): Promise<void> => {
    for (const pool of pools) await pool.close();
    await onServer((client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return { url, db: await open(), open, drop };
}

async function onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Nobody may be connected to a template while it is copied, so copies take turns. */
async function createFrom(from: string, name: string): Promise<void> {
  await onServer(async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(`create database ${name} template ${from}`);
  });
}

async function template(sets: readonly MigrationSet[]): Promise<string> {
  const hash = createHash('sha256').update('1');
  for (const set of sets)
    for (const migration of readMigrations(set.dir))
      hash.update(`${set.set}/${migration.version}:${migration.checksum}\n`);
  const name = `template_${hash.digest('hex').slice(0, 16)}`;
  await onServer(async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const known = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (known.rowCount) return;
    await client.query(`drop database if exists ${name}_new with (force)`);
    await client.query(`create database ${name}_new`);
    await (
      await openDb({ url: scratchUrl(`${name}_new`), applicationName: 'template', poolSize: 1, migrationSets: sets })
    ).close();
    await client.query(`alter database ${name}_new rename to ${name}`);
  });
  return name;
}
