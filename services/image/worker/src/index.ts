export * from './image.grpc.js';
export * from './operator.grpc.js';
export * from './sweeper.js';
