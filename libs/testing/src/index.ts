export * from './certificates.js';
export * from './fenced-receiver.js';
export * from './flow-harness.js';
export * from './free-port.js';
export * from './ovn-databases.js';
export * from './scratch-database.js';
export * from './tokens.js';
