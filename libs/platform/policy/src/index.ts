export * from './checks.js';
export * from './credentials.js';
export * from './token.js';
export * from './verifier.js';
