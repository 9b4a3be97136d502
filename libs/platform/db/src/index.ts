export { ConstraintViolation, isUnique, isViolation, QueryError, type ViolationKind } from './errors.js';
export * from './keyset.js';
export { type MigrationSet, readMigrations } from './migrate.js';
export { type DbOptions, openDb, untilReachable } from './open.js';
export type * from './types.js';
