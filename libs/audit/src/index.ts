export * from './audit.js';
export * from './books.js';
