import type { ImportedPrice, VendorPriceBody } from '@tollkeeper/contracts';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import type { NotImported, PriceImport } from '@tollkeeper/price-table';

import { columns } from '../print.js';

/** What can be listed in full: what was read from the table, and what became of it in the book. */
export const lists = [
  'new',
  'changed',
  'unchanged',
  'ignored',
  'quarantined',
  'refused',
  'inexpressible',
  'unpriced',
  'repeated',
  'importable',
] as const;
export type List = (typeof lists)[number];

export interface ImportReport {
  readonly source: string;
  readonly version: string | undefined;
  /** Absent: nothing was compared with a book. */
  readonly outcomes: readonly ImportedPrice[] | undefined;
  readonly table: PriceImport;
  readonly dryRun: boolean;
}

type Changes = NonNullable<ImportedPrice['changes']>;
type Change = Changes[number];

const shareDecimals = 1;

/** `+20 %`, as people say it; nothing where there is no share. */
const shareOf = ({ fromUsd, toUsd }: Change): string => {
  if (fromUsd === undefined || toUsd === undefined) return '';
  const from = parseMoney(fromUsd);
  if (from.isZero()) return '';
  const share = parseMoney(toUsd).minus(from).div(from).times(100).toDecimalPlaces(shareDecimals);
  return ` (${share.isNegative() ? '−' : '+'}${formatMoney(share.abs())} %)`;
};

const conditionsOf = ({ serviceTier, inputTokensOver, window, region }: Change): string =>
  [
    serviceTier === undefined ? '' : ` ${serviceTier}`,
    inputTokensOver === undefined ? '' : ` over ${String(inputTokensOver)} tokens`,
    window ? ` from ${window.from} to ${window.to} UTC` : '',
    region === undefined ? '' : ` in ${region}`,
  ].join('');

/** `input batch: 2.5 → 3 USD per 1000000 token (+20 %)`; a side without a price is `none`. */
export const changeLine = (change: Change): string =>
  `${change.meter}${conditionsOf(change)}: ${change.fromUsd ?? 'none'} → ${change.toUsd ?? 'none'}` +
  ` USD per ${change.per === '1' ? '' : `${change.per} `}${change.unit}${shareOf(change)}`;

const nameOf = ({ provider, model }: { provider: string; model: string }): string =>
  provider === '' ? model : `${provider}/${model}`;

/** What becomes of a change. Who only asks raises no alert, so that its id names nothing. */
const fateOf = ({ outcome, applied, alertId }: ImportedPrice, dryRun: boolean): string => {
  if (outcome !== 'changed') return '';
  if (applied) return dryRun ? 'would be published' : 'published';
  return dryRun || alertId === undefined ? '' : `alert ${alertId}`;
};

const outcomeLines = (price: ImportedPrice, dryRun: boolean): string[] => {
  const { severity = '', message = '', changes = [] } = price;
  const said = [severity, fateOf(price, dryRun), message].filter((part) => part !== '');
  const head = said.length === 0 ? nameOf(price) : `${nameOf(price)}: ${said.join(', ')}`;
  return [`  ${head}`, ...changes.map((change) => `    ${changeLine(change)}`)];
};

const reasonLines = (entries: readonly NotImported[]): string[][] =>
  entries.map((entry) => [`  ${nameOf(entry)}: ${entry.reason}`]);

const priceLines = (prices: readonly VendorPriceBody[]): string[][] =>
  prices.map((price) => [
    `  ${nameOf(price)}: ${price.rates
      .map(({ meter, rate, serviceTier, inputTokensOver }) =>
        [
          meter,
          serviceTier,
          inputTokensOver === undefined ? undefined : `>${String(inputTokensOver)}`,
          rate,
        ]
          .filter((part) => part !== undefined)
          .join(' '),
      )
      .join(', ')}`,
  ]);

const entriesOf = ({ table, outcomes = [], dryRun }: ImportReport, list: List): string[][] => {
  switch (list) {
    case 'inexpressible':
      return reasonLines(table.inexpressible);
    case 'unpriced':
      return reasonLines(table.unpriced);
    case 'repeated':
      return reasonLines(table.repeated);
    case 'importable':
      return priceLines(table.prices);
    case 'quarantined':
      return [
        ...reasonLines(table.quarantined),
        ...outcomes
          .filter(({ outcome }) => outcome === list)
          .map((price) => outcomeLines(price, dryRun)),
      ];
    default:
      return outcomes
        .filter(({ outcome }) => outcome === list)
        .map((price) => outcomeLines(price, dryRun));
  }
};

/** One list in full. */
export const listLines = (report: ImportReport, list: List): string[] =>
  entriesOf(report, list).flat();

/** Models that the table prices: what it repeats is priced, what it lists without a cost is not. */
export const tableCounts = ({
  prices,
  quarantined,
  inexpressible,
  unpriced,
  repeated,
}: PriceImport) => {
  const expressible = prices.length + quarantined.length + repeated.length;
  return {
    priced: expressible + inexpressible.length,
    expressible,
    importable: prices.length,
    quarantined: quarantined.length,
    repeated: repeated.length,
    inexpressible: inexpressible.length,
    unpriced: unpriced.length,
  };
};

export const outcomeCounts = (
  outcomes: readonly ImportedPrice[],
): Readonly<Record<ImportedPrice['outcome'], number>> => {
  const counts = { new: 0, unchanged: 0, changed: 0, ignored: 0, quarantined: 0, refused: 0 };
  for (const { outcome } of outcomes) counts[outcome] += 1;
  return counts;
};

const shownMax = 20;

const excerpt = (report: ImportReport, list: List): string[] => {
  const entries = entriesOf(report, list);
  if (entries.length === 0) return [];
  const more = entries.length - shownMax;
  return [
    `${list}:`,
    ...entries.slice(0, shownMax).flat(),
    ...(more > 0 ? [`  … and ${String(more)} more: --list ${list}`] : []),
  ];
};

const texts = (counts: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));

/** For a person: counts, then what wants their eyes. */
export const reportLines = (report: ImportReport): string[] => {
  const { source, version, outcomes, table, dryRun } = report;
  const book = outcomes
    ? [
        dryRun ? 'would become, in the price book:' : 'became, in the price book:',
        ...columns(texts(outcomeCounts(outcomes))),
      ]
    : ['not compared with a price book: TOLL_ADMIN_KEY is not set'];
  return [
    `${source}${version === undefined ? '' : ` ${version}`}, prices as listed:`,
    ...columns(texts(tableCounts(table))),
    ...book,
    ...excerpt(report, 'changed'),
    ...excerpt(report, 'refused'),
    ...excerpt(report, 'inexpressible'),
    ...excerpt(report, 'quarantined'),
  ];
};

/** For a program: everything but what is unchanged. */
export const reportValue = (report: ImportReport): object => {
  const { source, version, outcomes, table, dryRun } = report;
  return {
    source,
    ...(version === undefined ? {} : { version }),
    dryRun,
    table: tableCounts(table),
    quarantined: table.quarantined,
    inexpressible: table.inexpressible,
    ...(outcomes
      ? {
          outcomes: outcomeCounts(outcomes),
          prices: outcomes.filter(({ outcome }) => outcome !== 'unchanged'),
        }
      : {}),
  };
};
