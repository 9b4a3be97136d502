/** One transaction on one pooled connection, shared by raw SQL and TypeORM's query builders. */
import pg from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { toDbError } from './errors.js';
import type { Statement, Tx } from './types.js';

/** Runs one statement on a client or pool. */
export async function run(
  on: pg.ClientBase | pg.Pool,
  sql: string | Statement,
  params: readonly unknown[] | undefined,
): Promise<pg.QueryResult> {
  const values = params as unknown[] | undefined;
  return typeof sql === 'string'
    ? await on.query(sql, values)
    : await on.query({ name: sql.name, text: sql.text, values: values ?? [] });
}

/** A pooled client as it is at run time: with its backend's process id, and a way to end it. */
export type PooledClient = pg.PoolClient & { readonly processID: number | null; end(): Promise<void> };

/** Clients that have been given a listener for errors, without which a connection lost in mid-transaction ends the process. */
const watched = new WeakSet<object>();

/** How long a rollback may take before the connection is given up: the server rolls back by itself then. */
const ROLLBACK_MS = 5_000;

export class Transaction implements Tx {
  readonly notifications: { channel: string; payload: string }[] = [];
  readonly callbacks: (() => void)[] = [];
  private runner: QueryRunner | undefined;
  private over = false;

  private constructor(
    private readonly source: DataSource,
    private readonly client: PooledClient,
  ) {}

  static async begin(source: DataSource, pool: pg.Pool): Promise<Transaction> {
    let client: PooledClient | undefined;
    try {
      client = (await pool.connect()) as PooledClient;
      if (!watched.has(client)) client.on('error', () => undefined);
      watched.add(client);
      await client.query('begin');
      return new Transaction(source, client);
    } catch (error) {
      client?.release(true);
      throw toDbError(error);
    }
  }

  /** The server process behind this connection. */
  get backend(): number | null {
    return this.client.processID;
  }

  /**
   * TypeORM's own transactions cost more than most of ours do, so it is asked only when a query builder is: a query
   * runner is put on the connection, and told that a transaction is open.
   */
  get manager(): EntityManager {
    if (!this.runner) {
      this.runner = this.source.createQueryRunner();
      Object.assign(this.runner, { databaseConnection: this.client, isTransactionActive: true, transactionDepth: 1 });
    }
    return this.runner.manager;
  }

  /** Gives the connection back to the pool, which drops it if it is broken. Nothing may use the transaction after this. */
  release(): void {
    this.over = true;
    if (this.runner) Object.assign(this.runner, { isReleased: true });
    this.client.release();
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

  notify(channel: string, payload = ''): void {
    if (this.notifications.some((known) => known.channel === channel && known.payload === payload)) return;
    this.notifications.push({ channel, payload });
  }

  afterCommit(callback: () => void): void {
    this.callbacks.push(callback);
  }

  /** Commits; the notifications travel in the same round trip. */
  async commit(): Promise<void> {
    const notes = this.notifications.map(
      (note) => `select pg_notify(${pg.escapeLiteral(note.channel)}, ${pg.escapeLiteral(note.payload)});`,
    );
    try {
      await this.client.query(`${notes.join('')}commit`);
    } catch (error) {
      throw toDbError(error);
    }
  }

  /** Rolls back. A connection that does not answer is ended, so that the pool drops it and the server rolls back. */
  async rollback(): Promise<void> {
    const rollback: pg.QueryConfig & { query_timeout: number } = { text: 'rollback', query_timeout: ROLLBACK_MS };
    await this.client.query(rollback).catch(() => void this.client.end().catch(() => undefined));
  }

  private async run(sql: string | Statement, params: readonly unknown[] | undefined): Promise<pg.QueryResult> {
    if (this.over) throw new Error('the transaction is over');
    try {
      return await run(this.client, sql, params);
    } catch (error) {
      throw toDbError(error);
    }
  }
}
