export * from './matrix.js';
export * from './op.js';
export * from './registrar.js';
export * from './server.js';
