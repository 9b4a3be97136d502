export * from './feed.server.js';
export * from './operator.server.js';
export * from './pruner.js';
