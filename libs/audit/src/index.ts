export * from './audit.js';
export * from './books.js';
export type { Finding } from './finding.js';
