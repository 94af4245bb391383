import { formatMoney } from '@tollkeeper/kernel';
import { chargeOf, type Pricing } from './charge.js';
import type { Settle } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { withinReservation } from './excess.js';
import { drawFromGrants, giveBack, splitParts, toAllocation } from './draw.js';
import type { CreditAccount, Reservation } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

/**
 * Charges what was used and gives back the rest. What the vendor billed beyond the reservation is
 * taken from what is available, and owed where nothing is: the vendor has been paid already. Under `deny-excess` it is waived.
 */
export const settleReservation = (
  command: Settle,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const reservation = account.reservations.get(command.reservationId);
  if (!reservation) {
    return refuse('unknown-reservation', `no reservation ${command.reservationId}`);
  }
  if (reservation.settled) {
    return reservation.settled.commandHash === command.commandHash
      ? nothing
      : refuse('replay-mismatch', `${command.reservationId} was settled with other figures`);
  }
  const priced = chargeOf(command, reservation, context);
  if ('misfit' in priced) return refuse('invalid-request', priced.misfit);
  const pricing = withinReservation(priced, reservation, context.rules);
  return reservation.state === 'open'
    ? settled(reservation, pricing, account, context)
    : settledLate(reservation, pricing, account, context);
};

const settled = (
  reservation: Reservation,
  pricing: Pricing,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const atMs = context.at.getTime();
  const split = splitParts(reservation.allocations, pricing.chargeCredits);
  const beyond = drawFromGrants(account, split.short, atMs);
  const back = giveBack(account, split.rest, atMs);
  return accept({
    type: 'Settled',
    data: {
      ...pricing.data,
      reservationId: reservation.reservationId,
      drawn: split.taken.map(toAllocation),
      ...(beyond.parts.length > 0 ? { drawnBeyond: beyond.parts.map(toAllocation) } : {}),
      returned: back.returned,
      ...(back.lapsed.length > 0 ? { lapsed: back.lapsed } : {}),
      ...(beyond.short.isZero()
        ? {}
        : { debt: { amountCredits: formatMoney(beyond.short), cause: 'over-reservation' } }),
      localDate: today(account, context),
    },
  });
};

const settledLate = (
  reservation: Reservation,
  pricing: Pricing,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const draw = drawFromGrants(account, pricing.chargeCredits, context.at.getTime());
  return accept({
    type: 'SettledLate',
    data: {
      ...pricing.data,
      flags: [...(pricing.data.flags ?? []), 'late'],
      reservationId: reservation.reservationId,
      drawn: draw.parts.map(toAllocation),
      ...(draw.short.isZero()
        ? {}
        : { debt: { amountCredits: formatMoney(draw.short), cause: 'late-usage' } }),
      localDate: today(account, context),
    },
  });
};
