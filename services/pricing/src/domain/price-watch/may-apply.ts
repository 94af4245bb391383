import type { AlertSeverity } from '@tollkeeper/events';
import { parseMoney, type DecimalString } from '@tollkeeper/kernel';
import type { PriceChange } from './compare-price.js';

/**
 * True where a changed price may be published without a person, by the setting `auto_apply_change_max` (0: never).
 *
 * A fall is held to the same share as a rise: a slip of a price table that makes a model too cheap loses money on
 * every call. Nor is a price published unseen that is critical, or that leaves usage without a price.
 */
export const mayApply = (
  change: Pick<PriceChange, 'costChange' | 'costFall' | 'losesPrice'>,
  severity: AlertSeverity,
  changeMax: DecimalString,
): boolean => {
  const max = parseMoney(changeMax);
  return (
    max.gt(0) &&
    severity !== 'critical' &&
    !change.losesPrice &&
    parseMoney(change.costChange).lte(max) &&
    parseMoney(change.costFall).lte(max)
  );
};
