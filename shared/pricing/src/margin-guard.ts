import { Money } from '@tollkeeper/kernel';
import { creditsToUsd, type ChargePart, type ComputedCharge, type CreditValue } from './charge.js';
import type { PriceBook } from './price-book.js';

/** `refuse`: a quote that could charge less than the vendor bills is not made. `flag`: it is, and its charge says so. */
export type MarginGuard = 'refuse' | 'flag';

export const marginGuardAt = (book: Pick<PriceBook, 'settingAt'>, at: Date): MarginGuard =>
  book.settingAt('margin_guard', at) === 'flag' ? 'flag' : 'refuse';

const atCost = new Money(1);

/**
 * Whether a call that costs up to `costUsd` may be charged less than it costs: below a multiplier of 1 some usage
 * always is, whatever rounding up makes of the rest. What costs nothing cannot be.
 */
export const mayChargeBelowCost = (costUsd: Money, multiplier: Money): boolean =>
  multiplier.lt(atCost) && !costUsd.isZero();

/** Whether a charge came out below what the vendors billed; at multipliers of 1 and more it never does. */
export const isBelowCost = (
  parts: readonly ChargePart[],
  { chargeCredits, vendorCostUsd }: ComputedCharge,
  policy: CreditValue,
): boolean =>
  parts.some(({ multiplier }) => multiplier.lt(atCost)) &&
  creditsToUsd(chargeCredits, policy).lt(vendorCostUsd);
