import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';

/** What calls of one tier on one day add to revenue and vendor cost. */
export interface MarginChange {
  readonly tier: string;
  readonly localDate: string;
  readonly calls: number;
  readonly revenueUsd: Money;
  readonly vendorCostUsd: Money;
}

/** A row of `margin_by_tier` to add to. */
export interface MarginRow {
  readonly tier: string;
  readonly local_date: string;
  readonly calls: number;
  readonly revenue_usd: string;
  readonly vendor_cost_usd: string;
}

interface Figures {
  readonly tier: string;
  readonly charge_usd: string;
  readonly vendor_cost_usd: string;
}

export const chargedMargin = (usage: Figures, localDate: string): MarginChange => ({
  tier: usage.tier,
  localDate,
  calls: 1,
  revenueUsd: parseMoney(usage.charge_usd),
  vendorCostUsd: parseMoney(usage.vendor_cost_usd),
});

/** A correction counts on its own day, so that a closed day never changes: the old out, the new in. */
export const correctedMargin = (
  prior: Figures,
  usage: Figures,
  localDate: string,
): readonly MarginChange[] => [
  {
    tier: prior.tier,
    localDate,
    calls: 0,
    revenueUsd: parseMoney(prior.charge_usd).neg(),
    vendorCostUsd: parseMoney(prior.vendor_cost_usd).neg(),
  },
  { ...chargedMargin(usage, localDate), calls: 0 },
];

/** One row for each tier and day. */
export const sumMargins = (changes: readonly MarginChange[]): MarginRow[] => {
  const sums = new Map<string, { -readonly [K in keyof MarginChange]: MarginChange[K] }>();
  for (const change of changes) {
    const key = `${change.tier} ${change.localDate}`;
    let sum = sums.get(key);
    if (!sum) {
      sum = { ...change, calls: 0, revenueUsd: zero, vendorCostUsd: zero };
      sums.set(key, sum);
    }
    sum.calls += change.calls;
    sum.revenueUsd = sum.revenueUsd.plus(change.revenueUsd);
    sum.vendorCostUsd = sum.vendorCostUsd.plus(change.vendorCostUsd);
  }
  return [...sums.values()].map((sum) => ({
    tier: sum.tier,
    local_date: sum.localDate,
    calls: sum.calls,
    revenue_usd: formatMoney(sum.revenueUsd),
    vendor_cost_usd: formatMoney(sum.vendorCostUsd),
  }));
};
