export * from './fenced-receiver.js';
export * from './flow-harness.js';
export * from './ovn-databases.js';
export * from './scratch-database.js';
