export * from './dialect.js';
export * from './microversion.js';
export * from './paging.js';
export * from './schema.js';
export * from './view.js';
