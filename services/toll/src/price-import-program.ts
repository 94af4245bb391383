import type { Command } from 'commander';

import type { Add, Run } from './command-line.js';
import { importPrices, type ImportOptions } from './commands/price-import.js';

const gathered = (text: string, texts: readonly string[] | undefined): string[] => [
  ...(texts ?? []),
  text,
];

export const addPriceImport = (prices: Command, add: Add, run: Run): void => {
  add(
    prices,
    'import',
    'read a public price table into the price book; TOLL_ADMIN_KEY holds the key',
  )
    .requiredOption('--from <table>', 'genai-prices, litellm, models.dev or csv')
    .option('--file <path>', 'the table as a file, plain or gzip')
    .option('--url <address>', 'the table as an address; by default where it is published')
    .option('--provider <provider>', 'only the prices of one provider, as the price book calls it')
    .option('--dry-run', 'say what would become of each price, and record nothing', false)
    .option('--list <what>', 'one list in full: new, changed, quarantined, inexpressible, …')
    .option('--exchange-rate <rate>', 'as in DBU=0.07@2026-11-20; may be given again', gathered)
    .option(
      '--source-version <text>',
      'what to call this version of the table; a digest by default',
    )
    .option('--reason <text>', 'why, for the record')
    .action((options: ImportOptions) => run((print) => importPrices(options, print)));
};
