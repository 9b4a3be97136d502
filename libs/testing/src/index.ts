export * from './ovn-databases.js';
export * from './scratch-database.js';
