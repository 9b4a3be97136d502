export * from './aggregate.repo.js';
export * from './block-device.repo.js';
export * from './book.repo.js';
export * from './console-token.repo.js';
export * from './flavor.repo.js';
export * from './host-usage.query.js';
export * from './keypair.repo.js';
export * from './lost-interface.query.js';
export * from './node.repo.js';
export * from './node-event.repo.js';
export * from './node-pulse.repo.js';
export * from './node-state.repo.js';
export * from './quota.repo.js';
export * from './report.repo.js';
export * from './seal.js';
export type { NewServer } from './server.insert.js';
export * from './server.query.js';
export * from './server.repo.js';
export * from './server-group.repo.js';
export * from './server-node.repo.js';
export { ServerPasswordRepo } from './server-password.repo.js';
export * from './server-task.query.js';
export * from './shelved.query.js';
export * from './spec.repo.js';
export * from './standing.repo.js';
export * from './usage.query.js';

/** The tables of compute, for `openDb`. The flow library's come before them. */
export const computeMigrations = { set: 'service', dir: new URL('../migrations', import.meta.url).pathname } as const;
