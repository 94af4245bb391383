import type { CreditAccountEventOf } from '@tollkeeper/events';
import { formatMoney, minMoney, type Money } from '@tollkeeper/kernel';
import { netCredits } from './charge-net.js';
import type { CorrectUsage } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { drawFromGrants, giveBack, splitParts, toAllocation, toPart } from './draw.js';
import type { Charged, CreditAccount } from './state.js';
import { withinReservation } from './excess.js';
import { priceAgain } from './rerate.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

type Refunded = CreditAccountEventOf<'Refunded'>['data'];

/** Charges again what was charged as an estimate, now that the exact usage is known; or the same usage at another price version. */
export const correctUsage = (
  command: CorrectUsage,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const reservation = account.reservations.get(command.reservationId);
  if (!reservation?.charged) {
    return refuse('unknown-reservation', `${command.reservationId} has not been settled`);
  }
  if (reservation.corrections?.has(command.commandId)) return nothing;
  const again = priceAgain(command, reservation, context);
  if ('verdict' in again) return again.verdict;
  const pricing = withinReservation(again.pricing, reservation, context.rules);

  const before = reservation.charged;
  const delta = netCredits(pricing.data.chargeCredits, reservation).minus(
    netCredits(before.answer.chargeCredits, reservation),
  );
  const moves = delta.isNegative()
    ? { drawn: [], ...giveBackCharged(before, delta.negated(), account, context) }
    : more(delta, account, context);
  return accept({
    type: 'UsageCorrected',
    data: {
      ...pricing.data,
      reservationId: command.reservationId,
      ...(command.rerating ? { rerating: command.rerating } : {}),
      previousChargeCredits: before.answer.chargeCredits,
      deltaCredits: formatMoney(delta),
      ...moves,
      localDate: today(account, context),
    },
  });
};

const more = (delta: Money, account: CreditAccount, context: DecisionContext) => {
  const draw = drawFromGrants(account, delta, context.at.getTime());
  return {
    drawn: draw.parts.map(toAllocation),
    returned: [],
    ...(draw.short.isZero()
      ? {}
      : { debt: { amountCredits: formatMoney(draw.short), cause: 'correction' as const } }),
  };
};

/**
 * What the account owes is cancelled first: it was never paid. The rest goes back, last drawn first, then to
 * the grants that have paid off a debt.
 */
export const giveBackCharged = (
  before: Charged,
  amount: Money,
  account: CreditAccount,
  context: DecisionContext,
): Pick<Refunded, 'returned' | 'lapsed' | 'debtCancelledCredits'> => {
  const cancelled = minMoney(amount, account.debtCredits);
  const fromDrawn = splitParts(before.drawn.map(toPart).reverse(), amount.minus(cancelled));
  const fromRepaid = splitParts(account.repaid.toReversed(), fromDrawn.short);
  const back = giveBack(account, [...fromDrawn.taken, ...fromRepaid.taken], context.at.getTime());
  return {
    returned: back.returned,
    ...(back.lapsed.length > 0 ? { lapsed: back.lapsed } : {}),
    ...(cancelled.isZero() ? {} : { debtCancelledCredits: formatMoney(cancelled) }),
  };
};
