export * from './operator.grpc.js';
export * from './options.js';
export * from './pulses.js';
export * from './scheduler.grpc.js';
export * from './scheduler.js';
