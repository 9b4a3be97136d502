export * from './image.attributes.js';
export * from './image.create.js';
export * from './image.js';
export * from './image.machine.js';
export * from './image.patch.js';
export * from './image.query.js';
export * from './image.upload.js';
export * from './member.rules.js';
