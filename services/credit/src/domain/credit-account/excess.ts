import { formatMoney } from '@tollkeeper/kernel';
import type { Pricing } from './charge.js';
import type { AccountRules } from './rules.js';
import type { Reservation } from './state.js';

/** Under `deny-excess` a charge ends at its reservation; what the usage came to beyond is waived, and said so. */
export const withinReservation = (
  pricing: Pricing,
  { amountCredits }: Reservation,
  { excessPolicy }: AccountRules,
): Pricing => {
  if (excessPolicy !== 'deny-excess' || pricing.chargeCredits.lte(amountCredits)) return pricing;
  return {
    chargeCredits: amountCredits,
    data: {
      ...pricing.data,
      chargeCredits: formatMoney(amountCredits),
      waivedCredits: formatMoney(pricing.chargeCredits.minus(amountCredits)),
    },
  };
};
