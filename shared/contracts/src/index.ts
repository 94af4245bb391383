export * from './common.js';
export * from './completion.js';
export * from './credit.js';
export * from './identity.js';
export * from './partition.js';
export * from './pricing.js';
export * from './projection.js';
