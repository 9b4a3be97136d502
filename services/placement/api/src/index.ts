export * from './placement.module.js';
export { PLACEMENT_SPACE } from './placement.space.js';
export { PlacementStore } from './store.js';
