import type { EntityManager } from 'typeorm';

/** A statement that each connection prepares once under its name: for the hot ones, whose text never varies. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Runs SQL. Positional parameters only (`$1`), never text pasted into SQL.
 *
 * Values: `bigint` and `int` are numbers (a value beyond 2^53 fails the query), `numeric` is a string, `timestamptz` and
 * `timestamp` (read as UTC) are `Date`, `date` is a string, `json` and `jsonb` are parsed, `bytea` is a Buffer. Objects and
 * arrays given for a `jsonb` parameter must be passed through `JSON.stringify`; arrays given as they are become SQL arrays.
 *
 * Errors (after one, a transaction can only roll back: prevent them with `on conflict`, or catch outside `tx`): a violated constraint is a `ConstraintViolation`; a database that is down, restarting or too busy is the kernel
 * failure `unavailable`; anything else is a `QueryError`, which is a fault of ours.
 */
export interface Sql {
  /** All rows. */
  query<T>(sql: string | Statement, params?: readonly unknown[]): Promise<T[]>;
  /** The first row, if any. */
  one<T>(sql: string | Statement, params?: readonly unknown[]): Promise<T | undefined>;
  /** How many rows the statement touched. Every conditional write looks at it. */
  exec(sql: string | Statement, params?: readonly unknown[]): Promise<number>;
}

/** A transaction (read committed). Valid until its closure ends. */
export interface Tx extends Sql {
  /** TypeORM over the same connection, for query builders. `save()` is never used. */
  readonly manager: EntityManager;
  /** Sends a notification when, and only when, this transaction commits. Listeners in this process hear it at once. */
  notify(channel: string, payload?: string): void;
  /** Runs after the commit. Must not throw; work that has to happen belongs into the outbox instead. */
  afterCommit(callback: () => void): void;
}

/** Called with the payload, or with nothing after a reconnect: notifications may have been lost, look for yourself. */
export type Listener = (payload: string | undefined) => void;

export interface Db extends Sql {
  /** TypeORM outside a transaction, for query builders. `save()` is never used. */
  readonly manager: EntityManager;
  /**
   * Runs the closure in one transaction. It runs again, up to five times, when PostgreSQL reports a deadlock or a
   * serialization failure, so whatever it does outside the database must bear repetition.
   *
   * Within it use `tx` alone, never this object: whoever holds one connection and waits for a second brings the pool to
   * a standstill as soon as enough do so at once. Do not wait for other services either: it holds locks meanwhile.
   */
  tx<T>(body: (tx: Tx) => Promise<T>): Promise<T>;
  /** Hears a channel over one dedicated connection of this process, which reconnects by itself. Returns how to stop. */
  listen(channel: string, listener: Listener): Promise<() => void>;
  close(): Promise<void>;
}
