import type { RateBody, VendorPriceBody } from '@tollkeeper/contracts';
import { formatMoney } from '@tollkeeper/kernel';
import { csvRows, type CsvRow } from './csv-rows.js';
import { readListedAmount } from './listed-amount.js';
import type { TableInput } from './litellm-prices.js';
import { limitOf, notesOf } from './price-fields.js';
import { PriceImportBuilder, type PriceImport } from './price-import.js';
import { NotExpressibleError } from './table-rates.js';

/** The columns of a CSV price list, in any order; one row is one rate. The first four must be there. */
export const csvColumns = [
  'provider',
  'model',
  'meter',
  'rate',
  'per',
  'unit',
  'service_tier',
  'input_tokens_over',
  'window_from',
  'window_to',
  'region',
  'effective_from',
  'effective_to',
  'currency',
  'usd_per_unit',
  'exchange_as_of',
  'aliases',
  'context_tokens_max',
  'output_tokens_max',
  'notes',
] as const;
type Column = (typeof csvColumns)[number];
const required: readonly Column[] = ['provider', 'model', 'meter', 'rate'];

/** What a row says of its whole price: said once, or the same in every row. */
const priceColumns: readonly Column[] = [
  'effective_to',
  'currency',
  'usd_per_unit',
  'exchange_as_of',
  'aliases',
  'context_tokens_max',
  'output_tokens_max',
  'notes',
];

interface Placed {
  readonly line: number;
  /** What stands to the right of the last column: an amount such as `1,5` takes two cells. */
  readonly beyond: boolean;
}
type Row = Placed & Readonly<Partial<Record<Column, string>>>;

const headerOf = (row: CsvRow | undefined): Column[] => {
  const names = (row?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const columns = names.map((name) => csvColumns.find((column) => column === name));
  const unknown = names.find((_, place) => columns[place] === undefined);
  if (unknown !== undefined) throw new SyntaxError(`no such column: "${unknown}"`);
  const missing = required.find((column) => !columns.includes(column));
  if (missing) throw new SyntaxError(`the header lacks the column ${missing}`);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new SyntaxError(`the header has the column ${twice} twice`);
  return columns.filter((column) => column !== undefined);
};

const rowOf = (columns: readonly Column[], { line, cells }: CsvRow): Row => {
  const said = cells.flatMap((cell, place) => {
    const column = columns[place];
    return column === undefined || cell.trim() === '' ? [] : [[column, cell.trim()] as const];
  });
  const beyond = cells.slice(columns.length).some((cell) => cell.trim() !== '');
  return { line, beyond, ...Object.fromEntries(said) };
};

const wholeNumber = (row: Row, column: Column): number | undefined => {
  const text = row[column];
  if (text === undefined) return undefined;
  if (!/^\d{1,12}$/.test(text))
    throw new NotExpressibleError(`${column} is no whole number: ${text}`);
  return Number(text);
};

const amountOf = (row: Row, column: Column, notes: string[]): string => {
  const read = readListedAmount(row[column]);
  if (!read) throw new NotExpressibleError(`${column} is no amount: ${row[column] ?? 'empty'}`);
  if (read.roundedFrom !== undefined)
    notes.push(`${row.meter ?? ''} rounded from ${read.roundedFrom}`);
  return formatMoney(read.amount);
};

const rateOf = (row: Row, notes: string[]): RateBody => {
  if (row.beyond) {
    throw new NotExpressibleError(`line ${String(row.line)} has more cells than the header`);
  }
  if (row.meter === undefined) throw new NotExpressibleError('meter is empty');
  const inputTokensOver = wholeNumber(row, 'input_tokens_over');
  const { window_from: from, window_to: to } = row;
  if ((from === undefined) !== (to === undefined)) {
    throw new NotExpressibleError('window_from and window_to stand together');
  }
  return {
    meter: row.meter,
    unit: row.unit ?? 'token',
    per: row.per === undefined ? '1000000' : amountOf(row, 'per', notes),
    rate: amountOf(row, 'rate', notes),
    ...(row.service_tier === undefined ? {} : { serviceTier: row.service_tier }),
    ...(inputTokensOver === undefined ? {} : { inputTokensOver }),
    ...(from !== undefined && to !== undefined ? { window: { from, to } } : {}),
    ...(row.region === undefined ? {} : { region: row.region }),
  };
};

/** The value of a column that all rows of a price share. */
const sharedOf = (rows: readonly Row[], column: Column): string | undefined => {
  const values = new Set(rows.map((row) => row[column]).filter((value) => value !== undefined));
  if (values.size > 1) throw new NotExpressibleError(`${column} differs between rows of one price`);
  return [...values][0];
};

const timeOf = (text: string): string =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00.000Z` : text;

const priceOf = (
  { provider = '', model = '', effective_from: effectiveFrom }: Row,
  rows: readonly Row[],
  source: VendorPriceBody['source'],
): VendorPriceBody => {
  const shared = Object.fromEntries(
    priceColumns.map((column) => [column, sharedOf(rows, column)]),
  ) as Partial<Record<Column, string | undefined>>;
  const notes = shared.notes === undefined ? [] : [shared.notes];
  const {
    usd_per_unit: usdPerUnit,
    exchange_as_of: asOf,
    effective_to: effectiveTo,
    currency,
  } = shared;
  if ((usdPerUnit === undefined) !== (asOf === undefined)) {
    throw new NotExpressibleError('usd_per_unit and exchange_as_of stand together');
  }
  const rates = rows.map((row) => rateOf(row, notes));
  return {
    provider,
    model,
    ...(shared.aliases === undefined ? {} : { aliases: shared.aliases.split('|') }),
    ...(effectiveFrom === undefined ? {} : { effectiveFrom: timeOf(effectiveFrom) }),
    ...(effectiveTo === undefined ? {} : { effectiveTo: timeOf(effectiveTo) }),
    rates,
    ...(currency === undefined ? {} : { currency }),
    ...(usdPerUnit !== undefined && asOf !== undefined
      ? { exchangeRate: { usdPerUnit, asOf } }
      : {}),
    ...limitOf('contextTokensMax', shared.context_tokens_max),
    ...limitOf('outputTokensMax', shared.output_tokens_max),
    source,
    ...notesOf(notes),
  };
};

/**
 * A price list as CSV with the columns of `csvColumns`. Rows of one provider, model and `effective_from` are one price.
 * @throws SyntaxError where the header is not one
 */
export const csvPrices = ({ text, source }: TableInput): PriceImport => {
  const [header, ...body] = csvRows(text);
  const columns = headerOf(header);
  const byPrice = new Map<string, Row[]>();
  for (const row of body.map((each) => rowOf(columns, each))) {
    const key = [row.provider, row.model, row.effective_from].join('\n');
    const known = byPrice.get(key);
    if (known) known.push(row);
    else byPrice.set(key, [row]);
  }
  const found = new PriceImportBuilder();
  for (const [first, ...others] of byPrice.values()) {
    if (!first) continue;
    try {
      found.add(priceOf(first, [first, ...others], source));
    } catch (error) {
      if (!(error instanceof NotExpressibleError)) throw error;
      const reason = `line ${String(first.line)}: ${error.message}`;
      found.inexpressible(first.provider ?? '', first.model ?? '', reason);
    }
  }
  return found.build();
};
