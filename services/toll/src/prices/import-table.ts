import { messageOf } from '@tollkeeper/kernel';
import {
  csvPrices,
  genaiPriceImport,
  litellmPrices,
  modelsDevPrices,
  type ExchangeRates,
  type PriceImport,
  type TableInput,
} from '@tollkeeper/price-table';

import { CommandError } from '../command-error.js';
import { fetchTable, readTableFile, type TableText } from './read-table.js';

export interface TableOptions {
  readonly from: string;
  readonly file?: string;
  readonly url?: string;
  readonly provider?: string;
  readonly sourceVersion?: string;
  readonly exchangeRates?: ExchangeRates;
}

interface Table {
  readonly read: (input: TableInput) => PriceImport;
  /** Where the table is published; absent: it is yours. */
  readonly url?: string;
}

const tables: Readonly<Record<string, Table>> = {
  litellm: {
    read: litellmPrices,
    url: 'https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json',
  },
  'models.dev': { read: modelsDevPrices, url: 'https://models.dev/api.json' },
  csv: { read: csvPrices },
};

/** The pinned npm package, which is here already. */
const pinned = 'genai-prices';

const readText = ({ from, file, url }: TableOptions, table: Table): Promise<TableText> => {
  if (file !== undefined && url !== undefined) {
    throw new CommandError('invalid-option', 'either --file or --url');
  }
  if (file !== undefined) return readTableFile(file);
  const address = url ?? table.url;
  if (address === undefined)
    throw new CommandError('invalid-option', `--from ${from} needs --file or --url`);
  return fetchTable(address);
};

const readOwn = async (options: TableOptions): Promise<PriceImport> => {
  const { from, file, url, sourceVersion, exchangeRates } = options;
  const table = Object.hasOwn(tables, from) ? tables[from] : undefined;
  if (!table) {
    const names = [pinned, ...Object.keys(tables)].join(', ');
    throw new CommandError('invalid-option', `--from is one of ${names}, not ${from}`);
  }
  const { text, digest } = await readText(options, table);
  const address = file === undefined ? (url ?? table.url) : undefined;
  const source = {
    name: from,
    version: sourceVersion ?? digest,
    ...(address === undefined ? {} : { url: address }),
  };
  try {
    return table.read({ text, source, ...(exchangeRates ? { exchangeRates } : {}) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CommandError('unreadable-input', `not a table of ${from}: ${messageOf(error)}`);
  }
};

/** What a public price table says, of all providers or of one. */
export const readImport = async (options: TableOptions): Promise<PriceImport> => {
  const { from, file, url, provider } = options;
  if (from === pinned && (file !== undefined || url !== undefined)) {
    throw new CommandError('invalid-option', `${pinned} is the pinned package: no --file or --url`);
  }
  const table = from === pinned ? await genaiPriceImport() : await readOwn(options);
  if (provider === undefined) return table;
  const isAsked = (each: { readonly provider: string }): boolean => each.provider === provider;
  return {
    ...table,
    prices: table.prices.filter(isAsked),
    quarantined: table.quarantined.filter(isAsked),
    inexpressible: table.inexpressible.filter(isAsked),
    unpriced: table.unpriced.filter(isAsked),
    repeated: table.repeated.filter(isAsked),
  };
};

/** `DBU=0.07@2026-11-20`: US dollars for one unit, on a day. */
export const readExchangeRates = (texts: readonly string[]): ExchangeRates =>
  Object.fromEntries(
    texts.map((text) => {
      const [, currency, usdPerUnit, asOf] =
        /^([A-Z]{3,4})=((?:0|[1-9]\d{0,11})(?:\.\d{1,18})?)@(\d{4}-\d\d-\d\d)$/.exec(text) ?? [];
      if (currency === undefined || usdPerUnit === undefined || asOf === undefined) {
        throw new CommandError(
          'invalid-option',
          `--exchange-rate is as in DBU=0.07@2026-11-20, not ${text}`,
        );
      }
      return [currency, { usdPerUnit, asOf }];
    }),
  );
