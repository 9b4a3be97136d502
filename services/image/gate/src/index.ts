export { inspect, type Limits } from './inspect.js';
export { bufferSource, Refusal, type Source, type Verdict } from './source.js';
