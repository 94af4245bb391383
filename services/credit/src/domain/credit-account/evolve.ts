import type {
  Allocation,
  Charge,
  CreditAccountEvent,
  CreditAccountEventOf,
  EventMetadata,
  Quote,
  Settled,
} from '@tollkeeper/events';
import { parseMoney, unreachable } from '@tollkeeper/kernel';
import { netCredits } from './charge-net.js';
import { corrupt } from './corrupt-stream.js';
import { toAllocation } from './draw.js';
import { freeze, openAccount, changeTier } from './evolve-account.js';
import { addGrant, expireGrant, setRecurringGrant, voidGrant } from './evolve-grants.js';
import { adjust, refund } from './evolve-refund.js';
import {
  raiseLowBalance,
  requestTopUp,
  setAlerts,
  setTopUpRule,
  watchBalance,
} from './evolve-watch.js';
import { countCharged, countReleased, countReserved, countSettled } from './limit-counts.js';
import { evolveLimits } from './limit-facts.js';
import { rememberEnding } from './known-commands.js';
import { rememberClosed } from './memory.js';
import { keepRepaid, lowerDebt, owe, putBack, take, undraw } from './movements.js';
import { withVersion } from './rerate.js';
import type { ChargeAnswer, Charged, CreditAccount, GrantPart, Reservation } from './state.js';

export { CorruptStreamError } from './corrupt-stream.js';

const none: readonly GrantPart[] = [];

/** What of an event's metadata the state depends on. */
type Meta = Pick<EventMetadata, 'commandId' | 'commandHash' | 'occurredAt'>;

/** Applies a stored fact in place and runs no policy. Throws CorruptStreamError, never ignores. */
export const evolve = (account: CreditAccount, event: CreditAccountEvent, meta: Meta): void => {
  if (account.opened === (event.type === 'AccountOpened')) {
    throw corrupt(account, event.type, account.opened ? 'opened twice' : 'not opened');
  }
  account.lastEventAtMs = Date.parse(meta.occurredAt);
  account.revision += 1;
  apply(account, event, meta);
  if (account.watch) watchBalance(account, account.watch);
};

const apply = (account: CreditAccount, event: CreditAccountEvent, meta: Meta): void => {
  switch (event.type) {
    case 'AccountOpened':
      openAccount(account, event.data, meta);
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
    case 'LimitSet':
    case 'LimitRemoved':
    case 'LimitWarned': {
      const wrong = evolveLimits(account.limits, event, meta, account.revision);
      if (wrong !== undefined) throw corrupt(account, event.type, wrong);
      break;
    }
    case 'GrantExpired':
      expireGrant(account, event.data);
      break;
    case 'GrantVoided':
      voidGrant(account, event.data, meta);
      break;
    case 'RecurringGrantSet':
      setRecurringGrant(account, event.data, meta);
      break;
    case 'Refunded':
      refund(account, event.data, meta);
      break;
    case 'CreditsAdjusted':
      adjust(account, event.data, meta);
      break;
    case 'TierChanged':
      changeTier(account, event.data, meta);
      break;
    case 'AccountFrozen':
    case 'AccountUnfrozen':
      freeze(account, event.type === 'AccountFrozen', meta);
      break;
    case 'BalanceAlertsSet':
      setAlerts(account, event.data, meta);
      break;
    case 'LowBalanceReached':
      raiseLowBalance(account, event.data);
      break;
    case 'TopUpRuleSet':
      setTopUpRule(account, event.data, meta);
      break;
    case 'TopUpRequested':
      requestTopUp(account, event.data, meta);
      break;
    default:
      unreachable(event);
  }
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
    reservedAt: meta.occurredAt,
    tier: data.tier,
    quote: data.quote,
    state: 'open',
    released: undefined,
    charged: undefined,
    settled: undefined,
    corrections: undefined,
    refundedCredits: undefined,
    counted: countReserved(account.limits, data, meta.occurredAt),
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
  reservation.charged = chargedBy(data, drawn, meta, { late: false, changed: true });
  countSettled(account.limits, reservation.counted, data, reservation.quote);
  reservation.settled = reservation.charged;
  rememberEnding(account, reservation, meta);
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
  reservation.charged = chargedBy(data, data.drawn, meta, { late: true, changed: true });
  countCharged(account.limits, reservation.counted, data, reservation.quote);
  reservation.settled = reservation.charged;
  rememberEnding(account, reservation, meta);
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
  countReleased(account.limits, reservation.counted);
  reservation.allocations = none;
  const { commandId, commandHash } = meta;
  reservation.released = { commandId, commandHash };
  rememberEnding(account, reservation, meta);
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
  const kept = undraw(account, before, data, netCredits(data.chargeCredits, reservation));
  take(account, data.drawn);
  const drawn = [...kept.map(toAllocation), ...data.drawn];
  owe(account, data.debt);
  const quote = data.rerating ? requotedBy(data, reservation.quote) : reservation.quote;
  const changed = quote !== reservation.quote || data.chargeCredits !== before.answer.chargeCredits;
  reservation.quote = quote;
  reservation.charged = chargedBy(data, drawn, meta, { late: before.answer.late, changed });
  countCharged(account.limits, reservation.counted, data, reservation.quote);
  reservation.corrections ??= new Map();
  reservation.corrections.set(meta.commandId, reservation.charged);
  rememberEnding(account, reservation, meta);
};

/** A later correction prices at what was re-rated, not at what was quoted first. */
const requotedBy = (
  { rerating, attempts }: CreditAccountEventOf<'UsageCorrected'>['data'],
  quote: Quote | undefined,
): Quote | undefined => {
  const rerated = attempts.find(({ priceVersion }) => priceVersion === rerating?.priceVersion);
  if (!quote || !rerated) return quote;
  return withVersion(quote, rerated.provider, rerated.model, rerated.priceVersion);
};

const repay = (account: CreditAccount, data: CreditAccountEventOf<'DebtRepaid'>['data']): void => {
  keepRepaid(account, take(account, [data]));
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

type ChargeFact = Charge & { readonly debt?: { readonly amountCredits: string } | undefined };
type Manner = Pick<ChargeAnswer, 'late' | 'changed'>;

const chargedBy = (
  data: ChargeFact,
  drawn: readonly Allocation[],
  meta: Meta,
  manner: Manner,
): Charged => ({
  commandId: meta.commandId,
  commandHash: meta.commandHash,
  drawn,
  answer: chargeAnswer(data, manner),
});

const chargeAnswer = (data: ChargeFact, { late, changed }: Manner): ChargeAnswer => {
  const answered = data.attempts.findLast((attempt) => attempt.billed) ?? data.attempts.at(-1);
  return {
    chargeCredits: data.chargeCredits,
    costUsd: data.vendorCostUsd,
    priceVersion: answered?.priceVersion,
    multiplier: answered?.multiplier,
    provenance: answered?.provenance,
    debtCredits: data.debt?.amountCredits,
    late,
    changed,
  };
};
