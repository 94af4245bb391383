import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';

/** What calls of one tier on one day add to revenue and vendor cost. */
export interface MarginChange {
  readonly tier: string;
  readonly localDate: string;
  readonly calls: number;
  readonly revenueUsd: Money;
  readonly vendorCostUsd: Money;
  /** By how much `revenueUsd` is less; absent: by nothing. */
  readonly refundedUsd?: Money;
}

/** A row of `margin_by_tier` to add to. */
export interface MarginRow {
  readonly tier: string;
  readonly local_date: string;
  readonly calls: number;
  readonly revenue_usd: string;
  readonly vendor_cost_usd: string;
  readonly refunded_usd: string;
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

/** Lowers the revenue of its own day; what the vendor billed stays. */
export const refundedMargin = (
  tier: string,
  refundedUsd: Money,
  localDate: string,
): MarginChange => ({
  tier,
  localDate,
  calls: 0,
  revenueUsd: refundedUsd.neg(),
  vendorCostUsd: zero,
  refundedUsd,
});

interface MarginSum {
  readonly tier: string;
  readonly localDate: string;
  calls: number;
  revenueUsd: Money;
  vendorCostUsd: Money;
  refundedUsd: Money;
}

/** One row for each tier and day. */
export const sumMargins = (changes: readonly MarginChange[]): MarginRow[] => {
  const sums = new Map<string, MarginSum>();
  for (const change of changes) {
    const key = `${change.tier} ${change.localDate}`;
    let sum = sums.get(key);
    if (!sum) {
      const { tier, localDate } = change;
      sum = { tier, localDate, calls: 0, revenueUsd: zero, vendorCostUsd: zero, refundedUsd: zero };
      sums.set(key, sum);
    }
    sum.calls += change.calls;
    sum.revenueUsd = sum.revenueUsd.plus(change.revenueUsd);
    sum.vendorCostUsd = sum.vendorCostUsd.plus(change.vendorCostUsd);
    if (change.refundedUsd) sum.refundedUsd = sum.refundedUsd.plus(change.refundedUsd);
  }
  return [...sums.values()].map((sum) => ({
    tier: sum.tier,
    local_date: sum.localDate,
    calls: sum.calls,
    revenue_usd: formatMoney(sum.revenueUsd),
    vendor_cost_usd: formatMoney(sum.vendorCostUsd),
    refunded_usd: formatMoney(sum.refundedUsd),
  }));
};
