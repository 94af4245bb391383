import { CommandError } from '../command-error.js';
import { readExchangeRates, readImport } from '../prices/import-table.js';
import {
  listLines,
  lists,
  reportLines,
  reportValue,
  type ImportReport,
  type List,
} from '../prices/import-report.js';
import { sendImport } from '../prices/send-import.js';
import type { Printer } from '../print.js';
import { asAdmin } from './running.js';

export interface ImportOptions {
  readonly from: string;
  readonly file?: string;
  readonly url?: string;
  readonly provider?: string;
  readonly sourceVersion?: string;
  readonly exchangeRate?: readonly string[];
  readonly list?: string;
  readonly reason?: string;
  readonly dryRun: boolean;
}

const checkedList = (text: string | undefined): List | undefined => {
  const list = lists.find((each) => each === text);
  if (text !== undefined && !list) {
    throw new CommandError('invalid-option', `--list is one of ${lists.join(', ')}, not ${text}`);
  }
  return list;
};

const outcomesOf = async (
  { prices }: ImportReport['table'],
  { dryRun, reason, from }: ImportOptions,
): Promise<ImportReport['outcomes']> => {
  // Without a key, a dry run says what the table holds; anything else is refused for want of it.
  if (dryRun && !process.env['TOLL_ADMIN_KEY']?.trim()) return undefined;
  if (prices.length === 0) return [];
  const send = { dryRun, reason: reason ?? `imported from ${from}` };
  return asAdmin((operator) =>
    sendImport(operator, prices, send, (done, total) => {
      process.stderr.write(`batch ${String(done)} of ${String(total)}\n`);
    }),
  );
};

/**
 * `toll prices import`: the table is read, checked and cut into batches here; what becomes of a price is decided by
 * the price book. The exit code is 1 where something was refused.
 */
export const importPrices = async (options: ImportOptions, print: Printer): Promise<number> => {
  const list = checkedList(options.list);
  const exchangeRates = readExchangeRates(options.exchangeRate ?? []);
  const table = await readImport({ ...options, exchangeRates });
  const outcomes = await outcomesOf(table, options);
  const report: ImportReport = {
    source: options.from,
    version: table.prices[0]?.source.version,
    outcomes,
    table,
    dryRun: options.dryRun,
  };
  print.result(reportValue(report), list ? listLines(report, list) : reportLines(report));
  return outcomes?.some(({ outcome }) => outcome === 'refused') === true ? 1 : 0;
};
