export * from './credit-model.js';
export * from './credit-units.js';
export * from './linearizability.js';
export * from './lossy-proxy.js';
export * from './model-commands.js';
export * from './model-prices.js';
export * from './seed.js';
export * from './stream-promises.js';
