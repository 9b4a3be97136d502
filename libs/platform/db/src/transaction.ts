/** One transaction on one pooled connection, shared by raw SQL and TypeORM's query builders. */
import pg from 'pg';
import type { EntityManager, QueryRunner } from 'typeorm';
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

export class Transaction implements Tx {
  readonly notifications: { channel: string; payload: string }[] = [];
  readonly callbacks: (() => void)[] = [];

  private constructor(
    private readonly runner: QueryRunner,
    private readonly client: PooledClient,
  ) {}

  static async begin(runner: QueryRunner): Promise<Transaction> {
    try {
      const client = (await runner.connect()) as PooledClient;
      await runner.startTransaction();
      return new Transaction(runner, client);
    } catch (error) {
      throw toDbError(error);
    }
  }

  /** The server process behind this connection. */
  get backend(): number | null {
    return this.client.processID;
  }

  get manager(): EntityManager {
    return this.runner.manager;
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
    await this.client.query('rollback').catch(() => void this.client.end().catch(() => undefined));
  }

  private async run(sql: string | Statement, params: readonly unknown[] | undefined): Promise<pg.QueryResult> {
    try {
      return await run(this.client, sql, params);
    } catch (error) {
      throw toDbError(error);
    }
  }
}
