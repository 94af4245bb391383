import { maxMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import type { Reservation } from './state.js';

/**
 * What is left of a charge after its refunds; never negative. A correction moves the difference of this, so that
 * refunds and corrections, in whatever order, never give back more than was taken.
 */
export const netCredits = (
  chargeCredits: string,
  reservation: Pick<Reservation, 'refundedCredits'>,
): Money => {
  const charge = parseMoney(chargeCredits);
  const { refundedCredits } = reservation;
  return refundedCredits ? maxMoney(zero, charge.minus(refundedCredits)) : charge;
};
