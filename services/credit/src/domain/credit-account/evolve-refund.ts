import type { CreditAccountEventOf, EventMetadata } from '@tollkeeper/events';
import { parseMoney, zero } from '@tollkeeper/kernel';
import { netCredits } from './charge-net.js';
import { corrupt } from './corrupt-stream.js';
import { toAllocation } from './draw.js';
import { remember } from './evolve-account.js';
import { rememberClosed } from './memory.js';
import { owe, take, undraw } from './movements.js';
import type { CreditAccount } from './state.js';

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash'>;

export const refund = (
  account: CreditAccount,
  data: CreditAccountEventOf<'Refunded'>['data'],
  meta: Meta,
): void => {
  const reservation = account.reservations.get(data.reservationId);
  const before = reservation?.charged;
  if (!before) throw corrupt(account, data.reservationId, 'refunded before it was charged');
  rememberClosed(account, reservation);
  const refunded = parseMoney(data.amountCredits);
  reservation.refundedCredits = (reservation.refundedCredits ?? zero).plus(refunded);
  const left = netCredits(before.answer.chargeCredits, reservation);
  const kept = undraw(account, before, data, left);
  reservation.charged = { ...before, drawn: kept.map(toAllocation) };
  remember(account, meta, data.amountCredits);
};

export const adjust = (
  account: CreditAccount,
  data: CreditAccountEventOf<'CreditsAdjusted'>['data'],
  meta: Meta,
): void => {
  // Nothing gives an adjustment back, so what it drew is kept by no one; what it leaves owing is repaid as any debt.
  take(account, data.drawn);
  owe(account, data.debt);
  remember(account, meta);
};
