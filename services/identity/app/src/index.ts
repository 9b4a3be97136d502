export * from './options.js';
export * from './service.js';
