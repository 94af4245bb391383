export { findTableModel, readProviders, source } from './genai-prices.js';
export { PriceTable, type NoPrice, type TablePrice } from './price-table.js';
export { quarantineReason } from './sanity-gate.js';
export { datedRatesOf, NotExpressibleError } from './table-rates.js';
