export { WorkerOptions } from './options.js';
export { ComputeWorker, type WorkerDeps } from './worker.js';
