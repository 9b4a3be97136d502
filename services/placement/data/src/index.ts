export * from './allocation.repo.js';
export * from './books.repo.js';
export * from './claim.repo.js';
export * from './names.repo.js';
export * from './provider.repo.js';
export * from './pulse.repo.js';
export * from './reshape.repo.js';
export * from './snapshot.keeper.js';

/** The tables of placement. */
export const placementMigrations = {
  set: 'placement',
  dir: new URL('../migrations', import.meta.url).pathname,
} as const;
