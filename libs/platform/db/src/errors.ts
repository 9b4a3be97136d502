/**
 * What PostgreSQL throws, as what our code can act upon: a named constraint, a store that is away, or our own fault.
 */
import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { fail } from '#libs/kernel';

export type ViolationKind = 'unique' | 'foreignKey' | 'check' | 'notNull' | 'exclusion';

/** A constraint of the database refused a write. Repositories turn it into the failure that the caller understands. */
export class ConstraintViolation extends Error {
  constructor(
    readonly kind: ViolationKind,
    readonly constraint: string,
    readonly table: string,
    cause: unknown,
  ) {
    super(`${kind} constraint ${constraint} of ${table}`, { cause });
    this.name = 'ConstraintViolation';
  }
}

/** A statement failed for a reason that is neither the caller's nor the weather's. */
export class QueryError extends Error {
  constructor(
    message: string,
    /** SQLSTATE, where PostgreSQL sent one. */
    readonly code: string | undefined,
    cause: unknown,
  ) {
    super(message, { cause });
    this.name = 'QueryError';
  }
}

const VIOLATIONS: Readonly<Record<string, ViolationKind>> = {
  '23505': 'unique',
  '23503': 'foreignKey',
  '23514': 'check',
  '23502': 'notNull',
  '23P01': 'exclusion',
};

/** 08: connection; 57P0x: shutdown and start-up; 53300: no connection left; 55P03, 57014: waited too long; 25P03: idle. */
const AWAY = /^(08...|57P0[1-5]|53300|53400|55P03|57014|25P03)$/;
const AWAY_NODE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const AWAY_TEXT =
  /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|Query read timeout|Client was closed|Cannot use a pool after|not yet accepting connections/i;

/** A zero byte in a text, or in a string of a document: only a client's input brings one here. */
const UNSTORABLE = new Set(['22021', '22P05']);

interface Thrown {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly driverError?: unknown;
}

/** TypeORM wraps the driver's error; what is inside counts. */
function driverError(error: unknown): Thrown {
  const thrown = (typeof error === 'object' && error !== null ? error : { message: error }) as Thrown;
  return thrown.driverError === undefined ? thrown : (thrown.driverError as Thrown);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** True where running the same transaction again is the remedy. */
export function isRetryable(error: unknown): boolean {
  const code = driverError(error).code;
  return code === '40001' || code === '40P01';
}

/** The typed error for what the driver threw. */
export function toDbError(error: unknown): unknown {
  const thrown = driverError(error);
  const code = text(thrown.code);
  const message = text(thrown.message);
  const violation = VIOLATIONS[code];
  if (violation) {
    const name = text(thrown.constraint) || text(thrown.column);
    return new ConstraintViolation(violation, name, text(thrown.table), error);
  }
  if (AWAY.test(code) || AWAY_NODE.has(code) || AWAY_TEXT.test(message) || isRetryable(thrown)) {
    return fail.unavailable('The database is not available at the moment.', { cause: error, retryAfter: 1 });
  }
  if (UNSTORABLE.has(code)) return fail.invalid('A value holds a character that can not be stored.', { cause: error });
  return new QueryError(message, code || undefined, error);
}

/** The same for what a transaction's closure threw, where anything that did not come from the driver passes through. */
export function fromClosure(error: unknown): unknown {
  return error instanceof pg.DatabaseError || error instanceof QueryFailedError ? toDbError(error) : error;
}

/** True for a violation of any unique index, or of the named one. */
export function isUnique(error: unknown, constraint?: string): error is ConstraintViolation {
  return isViolation(error, 'unique', constraint);
}

/** True for a violated constraint of that kind and, where given, that name. */
export function isViolation(error: unknown, kind: ViolationKind, constraint?: string): error is ConstraintViolation {
  return (
    error instanceof ConstraintViolation &&
    error.kind === kind &&
    (constraint === undefined || error.constraint === constraint)
  );
}
