/** The public face of the agent: what tests of the whole cloud start in their own process. */
export * from './config.js';
export * from './daemon.js';
