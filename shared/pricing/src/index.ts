export * from './bound.js';
export * from './charge.js';
export * from './cost.js';
export * from './defaults.js';
export * from './explain.js';
export * from './flags.js';
export * from './margin-guard.js';
export { callMeter, isInputMeter, isOutputMeter } from './meter.js';
export * from './price-book.js';
export * from './quote.js';
export { compilePriceVersion, standardRateUsd, type PriceVersion } from './price-version.js';
export {
  CorruptPriceBookError,
  minuteOf,
  regionOf,
  serviceTierOf,
  standardTier,
  type Rate,
} from './rate.js';
export { parseTerms, type RateTerms } from './rate-terms.js';
export * from './recompute.js';
export { rateOf } from './resolve-rate.js';
export * from './settings.js';
