import type { Money } from '@tollkeeper/kernel';
import type { PriceBook } from './price-book.js';

/** `refuse`: a quote that could charge less than the vendor bills is not made. `flag`: it is, and its charge says so. */
export type MarginGuard = 'refuse' | 'flag';

export const marginGuardAt = (book: Pick<PriceBook, 'settingAt'>, at: Date): MarginGuard =>
  book.settingAt('margin_guard', at) === 'flag' ? 'flag' : 'refuse';

/**
 * Whether a call that costs up to `costUsd` may be charged less than it costs: below a multiplier of 1 some usage
 * always is, whatever rounding up makes of the rest. What costs nothing cannot be.
 */
export const mayChargeBelowCost = (costUsd: Money, multiplier: Money): boolean =>
  multiplier.lt(1) && !costUsd.isZero();
