export * from './bus.js';
export * as agentV1 from './generated/agent/v1/node.js';
export * as computeV1 from './generated/compute/v1/nodes.js';
export * as identityV1 from './generated/identity/v1/feed.js';
export * as imageV1 from './generated/image/v1/images.js';
export * as networkV1 from './generated/network/v1/ports.js';
export * as operatorV1 from './generated/operator/v1/operator.js';
export * as placementV1 from './generated/placement/v1/scheduler.js';
export * from './token-feed.js';
