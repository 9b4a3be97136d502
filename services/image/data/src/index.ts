export * from './books.repo.js';
export type { StoredImage, Viewer } from './image.columns.js';
export * from './image.repo.js';
export type { ImageEvent } from './image-event.sql.js';
export * from './image-file.store.js';
export * from './image-gate.js';
export * from './member.repo.js';
export * from './signed-url.js';
export * from './snapshot.repo.js';
export * from './upload.repo.js';
export type { Usage } from './usage.sql.js';

/** This service's tables, for `openDb`. */
export const imageMigrations = { set: 'service', dir: new URL('../migrations', import.meta.url).pathname } as const;
