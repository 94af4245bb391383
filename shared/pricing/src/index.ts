export * from './bound.js';
export * from './charge.js';
export * from './cost.js';
export * from './defaults.js';
export * from './price-book.js';
export { compilePriceVersion, standardRateUsd, type PriceVersion } from './price-version.js';
export { CorruptPriceBookError } from './rate-card.js';
export * from './recompute.js';
export * from './settings.js';
