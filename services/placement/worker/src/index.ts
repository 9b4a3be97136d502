export * from './operator.grpc.js';
export * from './scheduler.grpc.js';
export * from './scheduler.js';
