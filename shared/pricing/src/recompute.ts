import { formatMoney, parseMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';
import type { Charge, PricedLine } from '@tollkeeper/events';
import { chargeFor } from './charge.js';
import { toStoredPlaces } from './cost.js';

export interface RecomputedCharge {
  readonly vendorCostUsd: Money;
  readonly chargeCredits: Money;
  readonly roundingCredits: Money;
  /** US dollars by place in `attempts`. */
  readonly perAttemptCost: readonly Money[];
}

/** The first figure of a stored charge that does not follow from the rest of it. */
export interface ChargeDifference {
  readonly field: string;
  readonly stored: string;
  readonly recomputed: string;
}

/** US dollars of one line, before any rounding to stored places. */
const lineUsd = (line: PricedLine): Money =>
  parseMoney(line.quantity).times(parseMoney(line.rateUsd)).div(parseMoney(line.per));

/** US dollars of one line, to 30 decimals where they do not terminate. */
export const lineCostUsd = (line: PricedLine): Money => toStoredPlaces(lineUsd(line));

const linesUsd = (lines: readonly PricedLine[]): Money =>
  toStoredPlaces(sumMoney(lines.map(lineUsd)));

/**
 * A charge from its event alone: lines, multipliers and credit value, none of its results. What was waived is a
 * decision, not a result: with the charge it is what the lines come to.
 * A plain amount (no attempts) has nothing to compute and stands as it is, at no vendor cost.
 */
export const recomputeCharge = (charge: Charge): RecomputedCharge => {
  if (charge.attempts.length === 0) {
    return {
      vendorCostUsd: zero,
      chargeCredits: parseMoney(charge.chargeCredits),
      roundingCredits: parseMoney(charge.roundingCredits),
      perAttemptCost: [],
    };
  }
  const perAttemptCost = charge.attempts.map((attempt) => linesUsd(attempt.lines));
  const computed = chargeFor(
    charge.attempts.map((attempt, place) => ({
      costUsd: perAttemptCost[place] ?? zero,
      multiplier: parseMoney(attempt.multiplier),
    })),
    { usdPerCredit: parseMoney(charge.usdPerCredit), decimals: charge.creditDecimals },
  );
  const chargeCredits = computed.chargeCredits.minus(waivedOf(charge));
  return { ...computed, chargeCredits, perAttemptCost };
};

const waivedOf = (charge: Charge): Money => parseMoney(charge.waivedCredits ?? '0');

const difference = (
  field: string,
  stored: string,
  recomputed: Money,
): ChargeDifference | undefined =>
  parseMoney(stored).eq(recomputed)
    ? undefined
    : { field, stored, recomputed: formatMoney(recomputed) };

/** Undefined when every stored figure is the one that its own event proves. */
export const firstChargeDifference = (charge: Charge): ChargeDifference | undefined => {
  const recomputed = recomputeCharge(charge);
  const waived = charge.waivedCredits;
  if (waived !== undefined && !parseMoney(waived).gt(0)) {
    return { field: 'waivedCredits', stored: waived, recomputed: 'more than 0' };
  }
  for (const [place, attempt] of charge.attempts.entries()) {
    const field = `attempts[${String(place)}]`;
    if (!attempt.billed && attempt.lines.length > 0) {
      return { field: `${field}.lines`, stored: String(attempt.lines.length), recomputed: '0' };
    }
    const found = difference(
      `${field}.costUsd`,
      attempt.costUsd,
      recomputed.perAttemptCost[place] ?? zero,
    );
    if (found) return found;
  }
  for (const field of ['waivedCredits', 'chargeCredits'] as const) {
    const stored = charge[field];
    if (stored?.startsWith('-')) return { field, stored, recomputed: '0' };
  }
  return (
    difference('vendorCostUsd', charge.vendorCostUsd, recomputed.vendorCostUsd) ??
    difference('chargeCredits', charge.chargeCredits, recomputed.chargeCredits) ??
    difference('roundingCredits', charge.roundingCredits, recomputed.roundingCredits)
  );
};
