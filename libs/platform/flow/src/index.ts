export { callInDebts, writeOffDebt } from './debts.js';
export * from './define.js';
export * from './history.js';
export * from './hooks.js';
export * from './metrics.js';
export * from './outbox.js';
export * from './runner.js';
export * from './tasks.js';
export * from './types.js';

/** The tables of flows, as a migration set that each service gives to `openDb`. */
export const flowMigrations = { set: 'flow', dir: new URL('../migrations', import.meta.url).pathname } as const;
