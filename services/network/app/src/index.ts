export { type RunningService, type ServiceDeps, startService } from './service.js';
