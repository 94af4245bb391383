export { csvColumns, csvPrices } from './csv-prices.js';
export { genaiPriceImport } from './genai-price-import.js';
export { exactNames, findTableModel, readProviders, source } from './genai-prices.js';
export { litellmPrices, type TableInput } from './litellm-prices.js';
export { modelsDevPrices } from './models-dev-prices.js';
export { PriceTable, type NoPrice, type TablePrice } from './price-table.js';
export type { ExchangeRates, NotImported, PriceImport } from './price-import.js';
export { isFreeByName, priceFault, quarantineReason } from './sanity-gate.js';
export { datedRatesOf, NotExpressibleError } from './table-rates.js';
