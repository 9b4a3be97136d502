export { identityModule, type ModuleParts } from './module.js';
export { identityOps } from './ops.js';
export { Settings, type SigningKey } from './settings.js';
