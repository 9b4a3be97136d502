export * from './candidates.js';
export * from './inventory.js';
export * from './names.js';
export * from './provider.js';
export * from './rejection.js';
export * from './selection.js';
export * from './snapshot.js';
