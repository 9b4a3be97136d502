export * from './flavor.js';
export * from './keypair.js';
export * from './node.js';
export * from './quota.js';
export * from './server.js';
export * from './server.machine.js';
export * from './server.tasks.js';
