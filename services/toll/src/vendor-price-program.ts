import type { VendorPriceView } from '@tollkeeper/contracts';
import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { asAdmin } from './commands/running.js';
import type { Operator } from './operator.js';
import {
  priceLines,
  publishable,
  publishPrice,
  readDocument,
  vendorPrices,
  withdrawPrice,
  type PriceFilter,
} from './pricing/vendor-prices.js';

/** Vendor prices: facts with a date, of which a correction is a new version. */
export const addVendorPriceCommands = (prices: Command, add: Add, run: Run): void => {
  const list = (filter: PriceFilter) =>
    run((print) =>
      asAdmin(async (operator) => {
        const found = await vendorPrices(operator, filter);
        print.result(found, priceLines(found, filter.history));
        return 0;
      }),
    );
  const change = (work: (operator: Operator) => Promise<VendorPriceView>) =>
    run((print) =>
      asAdmin(async (operator) => {
        const price = await work(operator);
        print.result(price, priceLines([price], true));
        return 0;
      }),
    );
  add(prices, 'list', 'vendor prices in force')
    .option('--provider <name>')
    .option('--model <name>')
    .action(({ provider, model }: PriceFilter) => list({ provider, model }));
  add(prices, 'history <provider> <model>', 'every version of a price, newest first').action(
    (provider: string, model: string) => list({ provider, model, history: true }),
  );
  add(prices, 'publish <file>', 'publish a vendor price from a JSON file, or from - (stdin)')
    .option('--reason <text>', 'why, for the audit trail; else the file’s')
    .action((file: string, { reason }: { reason?: string }) =>
      change(async (operator) =>
        publishPrice(operator, publishable(await readDocument(file), reason)),
      ),
    );
  add(prices, 'withdraw-price <priceVersion>', 'from then on the price is unknown, not free')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--effective-from <time>', 'ISO 8601; by default as soon as every service knows')
    .action((priceVersion: string, options: { reason: string; effectiveFrom?: string }) =>
      change((operator) => withdrawPrice(operator, priceVersion, options)),
    );
};
