import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { addMultiplierCommands } from './multiplier-program.js';
import { addPriceAlertCommands } from './price-alert-program.js';
import { addQuoteCommands } from './quote-program.js';
import { addVendorPriceCommands } from './vendor-price-program.js';

/** Everything under `toll prices` that asks the pricing service. */
export const addPricingCommands = (prices: Command, add: Add, run: Run): void => {
  addMultiplierCommands(prices, add, run);
  addVendorPriceCommands(prices, add, run);
  addPriceAlertCommands(prices, add, run);
  addQuoteCommands(prices, add, run);
};
