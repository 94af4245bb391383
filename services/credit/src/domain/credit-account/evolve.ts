import type {
  Allocation,
  CreditAccountEvent,
  CreditAccountEventOf,
  DebtCause,
  Settled,
} from '@tollkeeper/events';
import { parseMoney, unreachable, zero, type Money } from '@tollkeeper/kernel';
import { drawOrder, toPart } from './draw.js';
import { rememberClosed } from './memory.js';
import {
  lessen,
  markCorrected,
  markReleased,
  markSettled,
  markSettledLate,
  reservationOf,
  type Meta,
} from './reservation-facts.js';
import type { CreditAccount, GrantPart, Reservation } from './state.js';

/** The stream contradicts itself: a fact that no decision of ours can have produced. */
export class CorruptStreamError extends Error {
  override readonly name = 'CorruptStreamError';
}

/** Applies a stored fact in place and runs no policy. Throws CorruptStreamError, never ignores. */
export const evolve = (account: CreditAccount, event: CreditAccountEvent, meta: Meta): void => {
  if (account.opened === (event.type === 'AccountOpened')) {
    throw corrupt(account, event.type, account.opened ? 'opened twice' : 'not opened');
  }
  account.lastEventAtMs = Date.parse(meta.occurredAt);
  account.revision += 1;
  switch (event.type) {
    case 'AccountOpened':
      open(account, event.data, meta);
      break;
    case 'CreditsGranted':
      addGrant(account, event.data, meta);
      break;
    case 'Reserved':
      addReservation(account, event.data, meta);
      break;
    case 'Settled':
      settle(account, event.data, meta);
      break;
    case 'SettledLate':
      settleLate(account, event.data, meta);
      break;
    case 'Released':
      release(account, event.data, meta);
      break;
    case 'UsageCorrected':
      correct(account, event.data, meta);
      break;
    case 'DebtRepaid':
      repay(account, event.data);
      break;
    case 'GrantExpired':
    case 'GrantVoided':
    case 'CreditsAdjusted':
    case 'Refunded':
    case 'TierChanged':
    case 'AccountFrozen':
    case 'AccountUnfrozen':
    case 'LimitSet':
    case 'LimitRemoved':
    case 'LimitWarned':
    case 'BalanceAlertsSet':
    case 'LowBalanceReached':
    case 'RecurringGrantSet':
    case 'TopUpRuleSet':
    case 'TopUpRequested':
      throw corrupt(account, event.type, 'not evolved yet');
    default:
      unreachable(event);
  }
};

const corrupt = (account: CreditAccount, what: string, why: string): CorruptStreamError =>
  new CorruptStreamError(`credit-${account.accountId}: ${what}: ${why}`);

const open = (
  account: CreditAccount,
  data: CreditAccountEventOf<'AccountOpened'>['data'],
  meta: Meta,
): void => {
  account.opened = true;
  account.openedBy = { commandHash: meta.commandHash };
  account.ownerUserId = data.ownerUserId;
  account.tier = data.tier;
  account.timeZone = data.timeZone;
};

const addGrant = (
  account: CreditAccount,
  data: CreditAccountEventOf<'CreditsGranted'>['data'],
  meta: Meta,
): void => {
  if (account.grantsById.has(data.grantId)) throw corrupt(account, data.grantId, 'granted twice');
  const grant = {
    grantId: data.grantId,
    priority: data.priority,
    effectiveAtMs: Date.parse(data.effectiveAt),
    expiresAtMs: data.expiresAt === undefined ? Infinity : Date.parse(data.expiresAt),
    order: account.grants.length,
    available: parseMoney(data.amountCredits),
  };
  account.grants.push(grant);
  account.grants.sort(drawOrder);
  account.grantsById.set(grant.grantId, grant);
  account.grantHashes.set(grant.grantId, meta.commandHash);
};

const addReservation = (
  account: CreditAccount,
  data: CreditAccountEventOf<'Reserved'>['data'],
  meta: Meta,
): void => {
  if (account.reservations.has(data.reservationId)) {
    throw corrupt(account, data.reservationId, 'reserved twice');
  }
  const reservation = reservationOf(data, meta);
  for (const part of reservation.allocations) takePart(account, part);
  account.reservedCredits = account.reservedCredits.plus(reservation.amountCredits);
  account.reservations.set(data.reservationId, reservation);
};

const settle = (account: CreditAccount, data: Settled, meta: Meta): void => {
  const reservation = openReservation(account, data.reservationId);
  account.reservedCredits = account.reservedCredits.minus(reservation.amountCredits);
  putBack(account, data.returned);
  if (data.drawnBeyond) take(account, data.drawnBeyond);
  owe(account, data.debt);
  markSettled(reservation, data, meta);
  rememberClosed(account, reservation);
};

const settleLate = (
  account: CreditAccount,
  data: CreditAccountEventOf<'SettledLate'>['data'],
  meta: Meta,
): void => {
  const reservation = knownReservation(account, data.reservationId);
  if (reservation.state !== 'released' || reservation.charged) {
    throw corrupt(account, data.reservationId, 'settled late without a release, or twice');
  }
  take(account, data.drawn);
  owe(account, data.debt);
  markSettledLate(reservation, data, meta);
  rememberClosed(account, reservation);
};

const release = (
  account: CreditAccount,
  data: CreditAccountEventOf<'Released'>['data'],
  meta: Meta,
): void => {
  const reservation = openReservation(account, data.reservationId);
  account.reservedCredits = account.reservedCredits.minus(reservation.amountCredits);
  putBack(account, data.returned);
  markReleased(reservation, data, meta);
  rememberClosed(account, reservation);
};

const correct = (
  account: CreditAccount,
  data: CreditAccountEventOf<'UsageCorrected'>['data'],
  meta: Meta,
): void => {
  const reservation = knownReservation(account, data.reservationId);
  const before = reservation.charged;
  if (!before) throw corrupt(account, data.reservationId, 'corrected before it was charged');
  account.repaid = lessen(account.repaid, markCorrected(reservation, before, data, meta));
  take(account, data.drawn);
  putBack(account, data.returned);
  if (data.debtCancelledCredits !== undefined) {
    lowerDebt(account, parseMoney(data.debtCancelledCredits));
  }
  owe(account, data.debt);
  rememberClosed(account, reservation);
};

const repay = (account: CreditAccount, data: CreditAccountEventOf<'DebtRepaid'>['data']): void => {
  account.repaid.push(...take(account, [data]));
  lowerDebt(account, parseMoney(data.amountCredits));
};

const knownReservation = (account: CreditAccount, reservationId: string): Reservation => {
  const reservation = account.reservations.get(reservationId);
  if (!reservation) throw corrupt(account, reservationId, 'never reserved');
  return reservation;
};

const openReservation = (account: CreditAccount, reservationId: string): Reservation => {
  const reservation = knownReservation(account, reservationId);
  if (reservation.state !== 'open') throw corrupt(account, reservationId, 'ended twice');
  return reservation;
};

const take = (account: CreditAccount, allocations: readonly Allocation[]): GrantPart[] =>
  allocations.map((allocation) => takePart(account, toPart(allocation)));

const takePart = (account: CreditAccount, part: GrantPart): GrantPart => {
  const grant = account.grantsById.get(part.grantId);
  if (!grant) throw corrupt(account, part.grantId, 'drawn, but never granted');
  grant.available = grant.available.minus(part.amountCredits);
  if (grant.available.isNegative()) throw corrupt(account, part.grantId, 'overdrawn');
  return part;
};

const putBack = (account: CreditAccount, allocations: readonly Allocation[]): void => {
  for (const allocation of allocations) {
    const grant = account.grantsById.get(allocation.grantId);
    if (!grant) throw corrupt(account, allocation.grantId, 'returned to, but never granted');
    grant.available = grant.available.plus(parseMoney(allocation.amountCredits));
  }
};

const owe = (
  account: CreditAccount,
  debt: { readonly amountCredits: string; readonly cause: DebtCause } | undefined,
): void => {
  if (!debt) return;
  const amount = parseMoney(debt.amountCredits);
  account.debts.set(debt.cause, (account.debts.get(debt.cause) ?? zero).plus(amount));
  account.debtCredits = account.debtCredits.plus(amount);
};

const lowerDebt = (account: CreditAccount, amount: Money): void => {
  if (amount.gt(account.debtCredits)) throw corrupt(account, 'debt', 'repaid more than is owed');
  account.debtCredits = account.debtCredits.minus(amount);
  let left = amount;
  for (const [cause, owed] of account.debts) {
    const part = left.lt(owed) ? left : owed;
    account.debts.set(cause, owed.minus(part));
    left = left.minus(part);
  }
};
