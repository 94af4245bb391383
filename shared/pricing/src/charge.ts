import { ceilTo, floorTo, Money, zero } from '@tollkeeper/kernel';
import { storedPlacesMax, toStoredPlaces } from './cost.js';

/** What a credit is worth and how a charge is rounded. */
export interface CreditValue {
  readonly usdPerCredit: Money;
  readonly decimals: number;
}

/** One attempt's vendor cost and the markup on it. */
export interface ChargePart {
  readonly costUsd: Money;
  readonly multiplier: Money;
}

export interface ComputedCharge {
  readonly chargeCredits: Money;
  /** What rounding up added; to 30 decimals where the exact charge does not terminate. */
  readonly roundingCredits: Money;
  readonly vendorCostUsd: Money;
}

const stepOf = (decimals: number): Money => new Money(10).pow(-decimals);

/**
 * The charge, rounded up once: ceil(Σ cost × multiplier ÷ USD per credit).
 *
 * The quotient may have been rounded at 60 digits, so the ceiling is checked by multiplying back.
 */
export const chargeFor = (parts: readonly ChargePart[], policy: CreditValue): ComputedCharge => {
  let vendorCostUsd: Money = zero;
  let chargeUsd: Money = zero;
  for (const { costUsd, multiplier } of parts) {
    vendorCostUsd = vendorCostUsd.plus(costUsd);
    chargeUsd = chargeUsd.plus(costUsd.times(multiplier));
  }
  const exactCredits = chargeUsd.div(policy.usdPerCredit);
  let chargeCredits = ceilTo(exactCredits, policy.decimals);
  if (chargeCredits.times(policy.usdPerCredit).lt(chargeUsd)) {
    chargeCredits = chargeCredits.plus(stepOf(policy.decimals));
  }
  return {
    chargeCredits,
    roundingCredits: toStoredPlaces(chargeCredits.minus(exactCredits)),
    vendorCostUsd,
  };
};

export const creditsToUsd = (credits: Money, policy: CreditValue): Money =>
  credits.times(policy.usdPerCredit);

/** Cuts a quotient off at 60 digits instead of rounding it, so that it is never above the true one. */
const Truncated = Money.clone({ rounding: Money.ROUND_DOWN });

/**
 * The greatest vendor cost whose charge is within these credits: to be met by a bound, so that
 * `chargeFor([{ costUsd: bound, multiplier }], policy).chargeCredits ≤ credits` holds for certain.
 */
export const usdBudgetFor = (credits: Money, multiplier: Money, policy: CreditValue): Money => {
  const chargeableUsd = floorTo(credits, policy.decimals).times(policy.usdPerCredit);
  if (chargeableUsd.lte(0)) return zero;
  if (multiplier.isZero()) return new Money(Infinity);
  return new Money(floorTo(new Truncated(chargeableUsd).div(multiplier), storedPlacesMax));
};
