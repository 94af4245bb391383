import type {
  Allocation,
  Charge,
  CreditAccountEvent,
  CreditAccountEventOf,
  DebtCause,
  EventMetadata,
  Settled,
} from '@tollkeeper/events';
import { parseMoney, unreachable, zero, type Money } from '@tollkeeper/kernel';
import { drawOrder, toAllocation, toPart } from './draw.js';
import { rememberClosed } from './memory.js';
import type { ChargeAnswer, Charged, CreditAccount, GrantPart, Reservation } from './state.js';

/** The stream contradicts itself: a fact that no decision of ours can have produced. */
export class CorruptStreamError extends Error {
  override readonly name = 'CorruptStreamError';
}

const none: readonly GrantPart[] = [];

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash' | 'occurredAt'>;

/** Applies a stored fact in place and runs no policy. Throws CorruptStreamError, never ignores. */
export const evolve = (account: CreditAccount, event: CreditAccountEvent, meta: Meta): void => {
  if (account.opened === (event.type === 'AccountOpened')) {
    throw corrupt(account, event.type, account.opened ? 'opened twice' : 'not opened');
  }
  account.revision += 1;
  account.lastEventAtMs = Date.parse(meta.occurredAt);
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
  const amountCredits = parseMoney(data.amountCredits);
  const allocations = take(account, data.allocations);
  account.reservedCredits = account.reservedCredits.plus(amountCredits);
  account.reservations.set(data.reservationId, {
    reservationId: data.reservationId,
    closedAtMs: 0,
    closedRevision: -1,
    queued: 0,
    commandHash: meta.commandHash,
    amountCredits,
    allocations,
    expiresAt: data.expiresAt,
    tier: data.tier,
    quote: data.quote,
    state: 'open',
    released: undefined,
    charged: undefined,
    settled: undefined,
    corrections: undefined,
  });
};

const settle = (account: CreditAccount, data: Settled, meta: Meta): void => {
  const reservation = openReservation(account, data.reservationId);
  rememberClosed(account, reservation);
  account.reservedCredits = account.reservedCredits.minus(reservation.amountCredits);
  putBack(account, data.returned);
  if (data.drawnBeyond) take(account, data.drawnBeyond);
  const drawn = data.drawnBeyond ? [...data.drawn, ...data.drawnBeyond] : data.drawn;
  owe(account, data.debt);
  reservation.state = 'settled';
  reservation.allocations = none;
  reservation.charged = chargedBy(data, drawn, data.debt, meta, false);
  reservation.settled = reservation.charged;
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
  rememberClosed(account, reservation);
  take(account, data.drawn);
  owe(account, data.debt);
  reservation.charged = chargedBy(data, data.drawn, data.debt, meta, true);
  reservation.settled = reservation.charged;
};

const release = (
  account: CreditAccount,
  data: CreditAccountEventOf<'Released'>['data'],
  meta: Meta,
): void => {
  const reservation = openReservation(account, data.reservationId);
  rememberClosed(account, reservation);
  account.reservedCredits = account.reservedCredits.minus(reservation.amountCredits);
  putBack(account, data.returned);
  reservation.state = 'released';
  reservation.allocations = none;
  reservation.released = { reason: data.reason, commandHash: meta.commandHash };
};

const correct = (
  account: CreditAccount,
  data: CreditAccountEventOf<'UsageCorrected'>['data'],
  meta: Meta,
): void => {
  const reservation = knownReservation(account, data.reservationId);
  const before = reservation.charged;
  if (!before) throw corrupt(account, data.reservationId, 'corrected before it was charged');
  rememberClosed(account, reservation);
  const back = sumByGrant([...data.returned, ...(data.lapsed ?? [])]);
  const kept = lessen(before.drawn.map(toPart), back);
  account.repaid = lessen(account.repaid, back);
  take(account, data.drawn);
  const drawn = [...kept.map(toAllocation), ...data.drawn];
  putBack(account, data.returned);
  if (data.debtCancelledCredits !== undefined) {
    lowerDebt(account, parseMoney(data.debtCancelledCredits));
  }
  owe(account, data.debt);
  reservation.charged = chargedBy(data, drawn, data.debt, meta, before.answer.late);
  reservation.corrections ??= new Map();
  reservation.corrections.set(meta.commandId, reservation.charged);
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
  allocations.map((allocation) => {
    const part = toPart(allocation);
    const grant = account.grantsById.get(part.grantId);
    if (!grant) throw corrupt(account, part.grantId, 'drawn, but never granted');
    grant.available = grant.available.minus(part.amountCredits);
    if (grant.available.isNegative()) throw corrupt(account, part.grantId, 'overdrawn');
    return part;
  });

const putBack = (account: CreditAccount, allocations: readonly Allocation[]): void => {
  for (const allocation of allocations) {
    const grant = account.grantsById.get(allocation.grantId);
    if (!grant) throw corrupt(account, allocation.grantId, 'returned to, but never granted');
    grant.available = grant.available.plus(parseMoney(allocation.amountCredits));
  }
};

const sumByGrant = (allocations: readonly Allocation[]): Map<string, Money> => {
  const sums = new Map<string, Money>();
  for (const { grantId, amountCredits } of allocations) {
    sums.set(grantId, (sums.get(grantId) ?? zero).plus(parseMoney(amountCredits)));
  }
  return sums;
};

/** What stays drawn after a correction gave some back; uses up `back`. */
const lessen = (drawn: readonly GrantPart[], back: Map<string, Money>): GrantPart[] => {
  const kept: GrantPart[] = [];
  for (const part of drawn) {
    const less = back.get(part.grantId) ?? zero;
    const cut = less.lt(part.amountCredits) ? less : part.amountCredits;
    back.set(part.grantId, less.minus(cut));
    const amountCredits = part.amountCredits.minus(cut);
    if (!amountCredits.isZero()) kept.push({ grantId: part.grantId, amountCredits });
  }
  return kept;
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

const chargedBy = (
  data: Charge,
  drawn: readonly Allocation[],
  debt: { readonly amountCredits: string } | undefined,
  meta: Meta,
  late: boolean,
): Charged => ({
  commandHash: meta.commandHash,
  drawn,
  answer: chargeAnswer(data, debt, late),
});

const chargeAnswer = (
  data: Charge,
  debt: { readonly amountCredits: string } | undefined,
  late: boolean,
): ChargeAnswer => {
  const answered = data.attempts.findLast((attempt) => attempt.billed) ?? data.attempts.at(-1);
  return {
    chargeCredits: data.chargeCredits,
    costUsd: data.vendorCostUsd,
    priceVersion: answered?.priceVersion,
    multiplier: answered?.multiplier,
    provenance: answered?.provenance,
    debtCredits: debt?.amountCredits,
    late,
  };
};
