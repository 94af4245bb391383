import type { Allocation, CreditAccountEvent } from '@tollkeeper/events';
import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import { toStoredPlaces } from '@tollkeeper/pricing';
import { netCredits } from './charge-net.js';
import type { Refund } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { giveBackCharged } from './correct.js';
import { repeatedCommand } from './repeated.js';
import type { CreditAccount, Grant } from './state.js';
import { accept, refuse, type Verdict } from './verdict.js';

const dayMs = 86_400_000;

/**
 * Gives back what a reservation was charged, in part or whole: first what is owed, then to the grants that paid. For a grant
 * that has ended there is a new one of kind refund, so that the customer gets what the books let lapse.
 */
export const refundCharge = (
  command: Refund,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  const reservation = account.reservations.get(command.reservationId);
  if (!reservation?.charged) {
    return refuse('unknown-reservation', `${command.reservationId} has not been settled`);
  }
  const left = netCredits(reservation.charged.answer.chargeCredits, reservation);
  const amount = command.amountCredits ?? left;
  if (left.isZero() || amount.gt(left)) {
    return refuse('exceeds-charge', `${formatMoney(left)} credits of the charge are left`, {
      left: formatMoney(left),
    });
  }
  const moves = giveBackCharged(reservation.charged, amount, account, context);
  const madeUp = grantsFor(moves.lapsed ?? [], command, account, context);
  return accept(
    {
      type: 'Refunded',
      data: {
        refundId: command.commandId,
        reservationId: command.reservationId,
        amountCredits: formatMoney(amount),
        ...moves,
        reasonCode: command.reasonCode,
        ...(command.reference === undefined ? {} : { reference: command.reference }),
        localDate: today(account, context),
      },
    },
    ...madeUp,
  );
};

/** One grant for each source that has ended, worth what lapsed of it. */
const grantsFor = (
  lapsed: readonly Allocation[],
  command: Refund,
  account: CreditAccount,
  context: DecisionContext,
): CreditAccountEvent[] => {
  const expiresAt = new Date(context.at.getTime() + context.rules.refundGrantDays * dayMs);
  const events: CreditAccountEvent[] = [];
  let place = 0;
  for (const [source, amount] of lapsedBySource(lapsed, account)) {
    do place++;
    while (account.grantsById.has(madeUpId(command, place)));
    const grantId = madeUpId(command, place);
    events.push({
      type: 'CreditsGranted',
      data: {
        grantId,
        kind: 'refund',
        amountCredits: formatMoney(amount),
        priority: source.priority,
        effectiveAt: context.at.toISOString(),
        expiresAt: expiresAt.toISOString(),
        ...(source.costBasisUsd
          ? { costBasisUsd: formatMoney(shareOf(source.costBasisUsd, amount, source)) }
          : {}),
        refundId: command.commandId,
        localDate: today(account, context),
      },
    });
  }
  return events;
};

/** Where the command's id leaves no room for a place in the 64 characters of an id, its beginning will do. */
const madeUpId = ({ commandId }: Refund, place: number): string =>
  `${commandId.slice(0, 60)}_${String(place)}`;

const lapsedBySource = (
  lapsed: readonly Allocation[],
  account: CreditAccount,
): ReadonlyMap<Grant, Money> => {
  const sums = new Map<Grant, Money>();
  for (const { grantId, amountCredits } of lapsed) {
    const source = account.grantsById.get(grantId);
    if (!source) throw new Error(`${grantId} was drawn, but never granted`);
    sums.set(source, (sums.get(source) ?? zero).plus(parseMoney(amountCredits)));
  }
  return sums;
};

const shareOf = (costBasisUsd: Money, amount: Money, source: Grant): Money =>
  toStoredPlaces(costBasisUsd.times(amount).div(source.amountCredits));
