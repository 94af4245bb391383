import { isReadable, parseMoney, unreachable, zero, type Money } from '@tollkeeper/kernel';
import { amountOf, sumOf } from '../projector/amounts.js';
import {
  ContradictionError,
  movesNoCredits,
  type LedgerEvent,
  type LedgerEventOf,
} from '../projector/ledger-event.js';

/**
 * What an account has, in credits.
 * balance = available + reserved − debt = granted − charged − lapsed − voided − adjusted; `charged` is less by refunds.
 */
export interface Balance {
  readonly accountId: string;
  readonly ownerUserId: string;
  readonly tier: string;
  readonly timeZone: string;
  readonly balance: Money;
  readonly available: Money;
  readonly reserved: Money;
  readonly debt: Money;
  readonly granted: Money;
  readonly charged: Money;
  readonly lapsed: Money;
  readonly voided: Money;
  /** Downward adjustments; an upward one is granted. */
  readonly adjusted: Money;
  readonly frozen: boolean;
  readonly revision: number;
  readonly updatedAt: string;
}

const figures = [
  'balance',
  'available',
  'reserved',
  'debt',
  'granted',
  'charged',
  'lapsed',
  'voided',
  'adjusted',
] as const;
type Figure = Exclude<(typeof figures)[number], 'balance'>;
/** What one event adds to each figure; absent: nothing. */
export type Movement = Partial<Readonly<Record<Figure, Money>>>;

/** Most figures of most events are zero, and exact arithmetic has its price. */
const plus = (a: Money, b: Money | undefined): Money => {
  if (b === undefined || b.isZero()) return a;
  return a.isZero() ? b : a.plus(b);
};
const minus = (a: Money, b: Money | undefined): Money =>
  b === undefined || b.isZero() ? a : a.minus(b);

const nothing: Movement = {};

export const movementOf = (event: LedgerEvent): Movement => {
  switch (event.type) {
    case 'AccountOpened':
      return nothing;
    case 'CreditsGranted': {
      const amount = parseMoney(event.data.amountCredits);
      return { available: amount, granted: amount };
    }
    case 'Reserved': {
      const amount = sumOf(event.data.allocations);
      return { available: amount.neg(), reserved: amount };
    }
    case 'Settled': {
      const returned = sumOf(event.data.returned);
      const lapsed = sumOf(event.data.lapsed);
      return {
        reserved: plus(plus(sumOf(event.data.drawn), returned), lapsed).neg(),
        available: minus(returned, sumOf(event.data.drawnBeyond)),
        debt: amountOf(event.data.debt?.amountCredits),
        charged: parseMoney(event.data.chargeCredits),
        lapsed,
      };
    }
    case 'SettledLate':
      return {
        available: sumOf(event.data.drawn).neg(),
        debt: amountOf(event.data.debt?.amountCredits),
        charged: parseMoney(event.data.chargeCredits),
      };
    case 'Released': {
      const returned = sumOf(event.data.returned);
      const lapsed = sumOf(event.data.lapsed);
      return { reserved: plus(returned, lapsed).neg(), available: returned, lapsed };
    }
    case 'UsageCorrected':
      return corrected(event.data);
    case 'DebtRepaid': {
      const amount = parseMoney(event.data.amountCredits);
      return { available: amount.neg(), debt: amount.neg() };
    }
    case 'GrantExpired': {
      const amount = parseMoney(event.data.amountCredits);
      return { available: amount.neg(), lapsed: amount };
    }
    case 'GrantVoided': {
      const amount = parseMoney(event.data.amountCredits);
      return { available: amount.neg(), voided: amount };
    }
    case 'CreditsAdjusted':
      return {
        available: sumOf(event.data.drawn).neg(),
        debt: amountOf(event.data.debt?.amountCredits),
        adjusted: parseMoney(event.data.amountCredits),
      };
    case 'Refunded':
      return refunded(event.data);
    default:
      return movesNoCredits(event) ? nothing : unreachable(event);
  }
};

const corrected = (data: LedgerEventOf<'UsageCorrected'>['data']): Movement => ({
  available: sumOf(data.returned).minus(sumOf(data.drawn)),
  debt: amountOf(data.debt?.amountCredits).minus(amountOf(data.debtCancelledCredits)),
  charged: parseMoney(data.deltaCredits),
  lapsed: sumOf(data.lapsed),
});

const refunded = (data: LedgerEventOf<'Refunded'>['data']): Movement => ({
  available: sumOf(data.returned),
  debt: amountOf(data.debtCancelledCredits).neg(),
  charged: parseMoney(data.amountCredits).neg(),
  lapsed: sumOf(data.lapsed),
});

const opened = (event: LedgerEvent): Balance => {
  if (event.type !== 'AccountOpened' || event.revision !== 0) {
    throw new ContradictionError(
      `the stream begins with ${event.type} at ${String(event.revision)}`,
    );
  }
  return {
    accountId: event.accountId,
    ownerUserId: event.data.ownerUserId,
    tier: event.data.tier,
    timeZone: event.data.timeZone,
    balance: zero,
    available: zero,
    reserved: zero,
    debt: zero,
    granted: zero,
    charged: zero,
    lapsed: zero,
    voided: zero,
    adjusted: zero,
    frozen: false,
    revision: 0,
    updatedAt: event.metadata.occurredAt,
  };
};

/** The balance after the event. @throws ContradictionError when it cannot follow on the balance before */
export const balanceAfter = (before: Balance | undefined, event: LedgerEvent): Balance => {
  if (before === undefined) return opened(event);
  if (event.type === 'AccountOpened') throw new ContradictionError('the account is opened again');
  if (event.revision !== before.revision + 1) {
    throw new ContradictionError(
      `revision ${String(event.revision)} follows ${String(before.revision)}`,
    );
  }
  const moved = movementOf(event);
  const after: Balance = {
    ...before,
    balance: plus(before.balance, changeOf(moved, event.type)),
    available: plus(before.available, moved.available),
    reserved: plus(before.reserved, moved.reserved),
    debt: plus(before.debt, moved.debt),
    granted: plus(before.granted, moved.granted),
    charged: plus(before.charged, moved.charged),
    lapsed: plus(before.lapsed, moved.lapsed),
    voided: plus(before.voided, moved.voided),
    adjusted: plus(before.adjusted, moved.adjusted),
    tier: event.type === 'TierChanged' ? event.data.to : before.tier,
    frozen: frozenAfter(before.frozen, event.type),
    revision: event.revision,
    updatedAt: event.metadata.occurredAt,
  };
  assertNotNegative(after, event.type);
  assertReadable(before, after, event.type);
  return after;
};

/** At the event that makes it so, in whatever batch it comes: a row that cannot be read again would stop everybody at the next. */
const assertReadable = (before: Balance, after: Balance, cause: string): void => {
  for (const figure of figures) {
    if (after[figure] === before[figure] || isReadable(after[figure])) continue;
    throw new ContradictionError(
      `${cause} makes ${figure} longer than an amount may be: ${after[figure].toString()}`,
    );
  }
};

const frozenAfter = (before: boolean, type: LedgerEvent['type']): boolean =>
  type === 'AccountFrozen' || (before && type !== 'AccountUnfrozen');

/** Of the balance, which both ways of looking at a movement must come to. */
const changeOf = (moved: Movement, cause: string): Money => {
  const held = minus(plus(moved.available ?? zero, moved.reserved), moved.debt);
  const lost = plus(plus(moved.lapsed ?? zero, moved.voided), moved.adjusted);
  const explained = minus(minus(moved.granted ?? zero, moved.charged), lost);
  if (held.eq(explained)) return held;
  throw new ContradictionError(
    `${cause} charges or loses other credits than it moves: ` +
      `${held.toString()} moved, ${explained.toString()} explained`,
  );
};

const assertNotNegative = (after: Balance, cause: string): void => {
  for (const figure of ['available', 'reserved', 'debt'] as const) {
    const amount = after[figure];
    if (amount.isZero() || amount.isPositive()) continue;
    throw new ContradictionError(`${cause} makes ${figure} negative: ${amount.toString()}`);
  }
};
