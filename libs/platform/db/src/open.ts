/**
 * The one way to PostgreSQL. TypeORM owns the pool (its entities are column maps, its query builders are welcome, its
 * `save()` is not used); everything else is plain SQL on the same connections.
 */
import pg from 'pg';
import { DataSource, type EntityManager, type EntitySchema } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { delay, fail, privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { fromClosure, isRetryable, toDbError } from './errors.js';
import { Notifications } from './listen.js';
import { type MigrationSet, migrate } from './migrate.js';
import { type PooledClient, run, Transaction } from './transaction.js';
import type { Db, Listener, Statement, Tx } from './types.js';
import { valueTypes } from './values.js';

export interface DbOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Shown in pg_stat_activity: the process's name. */
  readonly applicationName: string;
  /** Folder of this service's `NNNN_name.sql`, applied at start as the set `service`. */
  readonly migrationsDir?: string;
  /** Migrations of libraries (`flowMigrations`), applied before the service's own. */
  readonly migrationSets?: readonly MigrationSet[];
  /** Column maps for TypeORM's query builders. */
  readonly entities?: readonly EntitySchema<object>[];
  /** Connections at most; 10 unless told. */
  readonly poolSize?: number;
  readonly log?: Log;
  /** Ends the wait for a database that is away at start; without it openDb waits for ever. */
  readonly signal?: AbortSignal;
}

/**
 * Nothing of ours may hold a lock for long: a process that is frozen within a transaction loses its connection after
 * 15 s, a statement its life after 30 s. The client gives up a little later than the server would.
 */
const SESSION =
  '-c timezone=UTC -c statement_timeout=30000 -c idle_in_transaction_session_timeout=15000 -c lock_timeout=10000';
const CONNECTION = { keepAlive: true, keepAliveInitialDelayMillis: 10_000, types: valueTypes, options: SESSION };
const TX_TRIES = 5;

/**
 * Opens the pool and brings the schema up to date, waiting for a database that is not there yet. Rejects only for what
 * waiting can not cure: a changed or broken migration, wrong credentials, a missing database.
 */
export async function openDb(options: DbOptions): Promise<Db> {
  await untilReachable(options, () => migrateOnce(options));
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: 5_000,
    installExtensions: false,
    entities: [...(options.entities ?? [])],
    // The error holds the whole client, with its cancel key and every statement: its message alone is logged.
    poolErrorHandler: (error: unknown) =>
      options.log?.warn({ reason: privateMessage(error) }, 'a pooled database connection was lost'),
    extra: { ...CONNECTION, query_timeout: 35_000, idleTimeoutMillis: 60_000 },
  });
  await untilReachable(options, () => source.initialize());
  return new PooledDb(source, {
    ...CONNECTION,
    connectionString: options.url,
    application_name: `${options.applicationName}-listen`,
  });
}

async function migrateOnce(options: DbOptions): Promise<void> {
  const sets = [...(options.migrationSets ?? [])];
  if (options.migrationsDir) sets.push({ set: 'service', dir: options.migrationsDir });
  if (!sets.length) return;
  const client = new pg.Client({
    ...CONNECTION,
    connectionString: options.url,
    application_name: `${options.applicationName}-migrate`,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const applied = await migrate(client, sets);
    if (applied) options.log?.info({ applied }, 'database migrations applied');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * For what a process has to read or write before it can serve: repeats it while the database is away, so that an outage
 * during the start is waited for like one before it. What it does must bear repetition; any other failure passes through.
 */
export async function untilReachable<T>(
  options: Pick<DbOptions, 'log' | 'signal'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAway(error)) throw error;
      options.log?.warn({ err: error }, 'the database is not reachable yet');
      await delay(Math.min(2_000, 100 * 2 ** Math.min(tries, 6)), options.signal);
      if (options.signal?.aborted)
        throw fail.unavailable('The database is not available at the moment.', { cause: error });
    }
  }
}

/** A migration wraps what went wrong: away is whatever is away underneath. */
function isAway(error: unknown): boolean {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    const mapped = toDbError(inner);
    if (mapped instanceof Error && 'kind' in mapped && mapped.kind === 'unavailable') return true;
  }
  return false;
}

class PooledDb implements Db {
  private readonly pool: pg.Pool;
  private readonly backends = new Set<number>();
  private readonly notifications: Notifications;

  constructor(
    private readonly source: DataSource,
    listenConfig: pg.ClientConfig,
  ) {
    this.pool = (source.driver as PostgresDriver).master as pg.Pool;
    this.pool.on('remove', (client) => this.backends.delete((client as unknown as PooledClient).processID ?? 0));
    this.notifications = new Notifications(listenConfig, (backend) => this.backends.has(backend));
  }

  get manager(): EntityManager {
    return this.source.manager;
  }

  async query<T>(sql: string | Statement, params?: readonly unknown[]): Promise<T[]> {
    return (await this.run(sql, params)).rows as T[];
  }

  async one<T>(sql: string | Statement, params?: readonly unknown[]): Promise<T | undefined> {
    return (await this.run(sql, params)).rows[0] as T | undefined;
  }

  async exec(sql: string | Statement, params?: readonly unknown[]): Promise<number> {
    return (await this.run(sql, params)).rowCount ?? 0;
  }

  async tx<T>(body: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.txOnce(body);
      } catch (error) {
        if (tries >= TX_TRIES || !isRetryable(error instanceof Error && error.cause ? error.cause : error))
          throw fromClosure(error);
        await delay(Math.random() * 10 * 2 ** tries);
      }
    }
  }

  listen(channel: string, listener: Listener): Promise<() => void> {
    return this.notifications.add(channel, listener);
  }

  async close(): Promise<void> {
    await this.notifications.close();
    await this.source.destroy();
  }

  private async run(sql: string | Statement, params: readonly unknown[] | undefined): Promise<pg.QueryResult> {
    try {
      return await run(this.pool, sql, params);
    } catch (error) {
      throw toDbError(error);
    }
  }

  private async txOnce<T>(body: (tx: Tx) => Promise<T>): Promise<T> {
    const tx = await Transaction.begin(this.source, this.pool);
    if (tx.backend) this.backends.add(tx.backend);
    try {
      const value = await body(tx);
      await tx.commit();
      this.committed(tx);
      return value;
    } catch (error) {
      await tx.rollback();
      throw error;
    } finally {
      tx.release();
    }
  }

  private committed(tx: Transaction): void {
    for (const note of tx.notifications) this.notifications.deliver(note.channel, note.payload);
    for (const callback of tx.callbacks) callback();
  }
}
