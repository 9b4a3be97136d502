export * from './clock.js';
export * from './context.js';
export * from './errors.js';
export * from './ids.js';
