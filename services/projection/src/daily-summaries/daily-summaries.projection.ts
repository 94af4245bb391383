import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import type { ReleasedReservationRow } from '../open-reservations/open-reservations.projection.js';
import type { ChargedFigures, PriorUsage, UsageRow } from '../usage-log/usage-log.projection.js';

export const dayCounts = [
  'calls',
  'input_tokens',
  'output_tokens',
  'exact',
  'vendor_reported',
  'estimated',
  'unknown',
  'late',
  'corrections',
  'refunds',
  'failed',
  'cancelled',
  'expired',
] as const;
export type DayCount = (typeof dayCounts)[number];
export const dayAmounts = [
  'vendor_cost_usd',
  'charge_credits',
  'charge_usd',
  'refunded_credits',
  'refunded_usd',
  'adjusted_credits',
] as const;
export type DayAmount = (typeof dayAmounts)[number];

interface DayKey {
  readonly account_id: string;
  readonly local_date: string;
  readonly tier: string;
}

/** What one event adds to an account's day; absent: nothing. */
export interface DayChange extends DayKey {
  readonly counts: Partial<Readonly<Record<DayCount, number>>>;
  readonly amounts?: Partial<Readonly<Record<DayAmount, string>>>;
  /** −1 takes the amounts back. */
  readonly sign?: 1 | -1;
}

/** A row of `daily_summaries` to add to. */
export type DayRow = DayKey & Record<DayCount, number> & Record<DayAmount, string>;

type Figures = Pick<ChargedFigures, 'vendor_cost_usd' | 'charge_credits' | 'charge_usd'>;
const amountsOf = ({ vendor_cost_usd, charge_credits, charge_usd }: Figures): Figures => ({
  vendor_cost_usd,
  charge_credits,
  charge_usd,
});

const provenanceCount = (provenance: UsageRow['provenance']): DayCount | undefined =>
  provenance === 'vendor-reported' ? 'vendor_reported' : (provenance ?? undefined);

export const chargedDay = (usage: UsageRow): DayChange => {
  const provenance = provenanceCount(usage.provenance);
  return {
    account_id: usage.account_id,
    local_date: usage.local_date,
    tier: usage.tier,
    counts: {
      calls: 1,
      input_tokens: usage.input_tokens ?? 0,
      output_tokens: usage.output_tokens ?? 0,
      ...(usage.late ? { late: 1 } : {}),
      ...(provenance === undefined ? {} : { [provenance]: 1 }),
    },
    amounts: amountsOf(usage),
  };
};

export const releasedDay = (released: ReleasedReservationRow): DayChange => ({
  account_id: released.account_id,
  local_date: released.local_date,
  tier: released.tier,
  counts: { [released.reason]: 1 },
});

/** Counts on the correction's own day; how the call was first settled stays counted where it was. */
export const correctedDay = (
  prior: PriorUsage,
  usage: ChargedFigures,
  localDate: string,
): readonly DayChange[] => [
  {
    account_id: prior.account_id,
    local_date: localDate,
    tier: prior.tier,
    counts: {
      input_tokens: -(prior.input_tokens ?? 0),
      output_tokens: -(prior.output_tokens ?? 0),
    },
    amounts: amountsOf(prior),
    sign: -1,
  },
  {
    account_id: prior.account_id,
    local_date: localDate,
    tier: usage.tier,
    counts: {
      corrections: 1,
      input_tokens: usage.input_tokens ?? 0,
      output_tokens: usage.output_tokens ?? 0,
    },
    amounts: amountsOf(usage),
  },
];

/** Lowers the charges of its own day, under the tier of its call. */
export const refundedDay = (
  call: Pick<PriorUsage, 'account_id' | 'tier'>,
  credits: Money,
  usd: Money,
  localDate: string,
): DayChange => ({
  account_id: call.account_id,
  local_date: localDate,
  tier: call.tier,
  counts: { refunds: 1 },
  amounts: {
    charge_credits: formatMoney(credits.neg()),
    charge_usd: formatMoney(usd.neg()),
    refunded_credits: formatMoney(credits),
    refunded_usd: formatMoney(usd),
  },
});

/** Up or down, beside the charges: an adjustment is no revenue. Under the tier that the account has. */
export const adjustedDay = (
  account: { readonly accountId: string; readonly tier: string },
  credits: Money,
  localDate: string,
): DayChange => ({
  account_id: account.accountId,
  local_date: localDate,
  tier: account.tier,
  counts: {},
  amounts: { adjusted_credits: formatMoney(credits) },
});

interface DaySum {
  readonly key: DayKey;
  readonly counts: Record<DayCount, number>;
  readonly amounts: Record<DayAmount, Money>;
}

const newSum = ({ account_id, local_date, tier }: DayKey): DaySum => ({
  key: { account_id, local_date, tier },
  counts: {
    calls: 0,
    input_tokens: 0,
    output_tokens: 0,
    exact: 0,
    vendor_reported: 0,
    estimated: 0,
    unknown: 0,
    late: 0,
    corrections: 0,
    refunds: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
  },
  amounts: {
    vendor_cost_usd: zero,
    charge_credits: zero,
    charge_usd: zero,
    refunded_credits: zero,
    refunded_usd: zero,
    adjusted_credits: zero,
  },
});

const addTo = (sum: DaySum, change: DayChange): void => {
  for (const count of dayCounts) sum.counts[count] += change.counts[count] ?? 0;
  if (!change.amounts) return;
  for (const amount of dayAmounts) {
    const text = change.amounts[amount];
    if (text === undefined) continue;
    const value = parseMoney(text);
    sum.amounts[amount] = sum.amounts[amount].plus(change.sign === -1 ? value.neg() : value);
  }
};

/** One row for each account, day and tier. */
export const sumDays = (changes: readonly DayChange[]): DayRow[] => {
  const sums = new Map<string, DaySum>();
  for (const change of changes) {
    const key = `${change.account_id} ${change.local_date} ${change.tier}`;
    let sum = sums.get(key);
    if (!sum) sums.set(key, (sum = newSum(change)));
    addTo(sum, change);
  }
  return [...sums.values()].map(({ key, counts, amounts }) => ({
    ...key,
    ...counts,
    vendor_cost_usd: formatMoney(amounts.vendor_cost_usd),
    charge_credits: formatMoney(amounts.charge_credits),
    charge_usd: formatMoney(amounts.charge_usd),
    refunded_credits: formatMoney(amounts.refunded_credits),
    refunded_usd: formatMoney(amounts.refunded_usd),
    adjusted_credits: formatMoney(amounts.adjusted_credits),
  }));
};
