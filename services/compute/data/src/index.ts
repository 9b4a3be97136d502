export * from './node.repo.js';
export * from './report.repo.js';
export * from './seal.js';
export * from './server.repo.js';

/** The tables of compute, for `openDb`. The flow library's come before them. */
export const computeMigrations = { set: 'service', dir: new URL('../migrations', import.meta.url).pathname } as const;
