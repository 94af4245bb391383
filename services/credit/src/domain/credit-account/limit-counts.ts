import type {
  Charge,
  LimitUnit,
  PricedAttempt,
  Quote,
  QuotedCandidate,
  Reserved,
} from '@tollkeeper/events';
import { Money, parseMoney, zero } from '@tollkeeper/kernel';
import { limitsOn, watchSoft, type Limit, type Limits, type Period } from './limits.js';
import { periodOf } from './limit-windows.js';

/** What a reservation counts for in one window of one limit: as reserved, then as charged. */
export interface Counted {
  /** Undefined: in the free tier's month. */
  readonly limitId: string | undefined;
  readonly since: number;
  readonly period: string;
  readonly unit: LimitUnit;
  amount: Money;
}

const one = new Money(1);

/** US dollars: the dearest candidate's bound. */
export const dearestUsd = (candidates: readonly QuotedCandidate[]): Money => {
  let dearest = zero;
  for (const { boundUsd } of candidates) {
    const usd = parseMoney(boundUsd);
    if (usd.gt(dearest)) dearest = usd;
  }
  return dearest;
};

/** Tokens: input, and the output of every choice. */
export const boundTokens = (bound: Quote['bound']): number =>
  bound.inputTokens + bound.outputTokens * bound.choices;

const reservedIn = (unit: LimitUnit, data: Reserved): Money => {
  switch (unit) {
    case 'credits':
      return parseMoney(data.amountCredits);
    case 'usd':
      return data.quote ? dearestUsd(data.quote.candidates) : zero;
    case 'tokens':
      return data.quote ? new Money(boundTokens(data.quote.bound)) : zero;
    case 'requests':
      return one;
  }
};

const chargedIn = (unit: LimitUnit, charge: Charge, quote: Quote | undefined): Money => {
  switch (unit) {
    case 'credits':
      return parseMoney(charge.chargeCredits);
    case 'usd':
      return parseMoney(charge.vendorCostUsd);
    case 'tokens':
      return new Money(usedTokens(charge.attempts, quote));
    case 'requests':
      return one;
  }
};

/** Tokens of every pool. Unknown is never zero: an attempt that was charged at its bound counts with it. */
const usedTokens = (attempts: readonly PricedAttempt[], quote: Quote | undefined): number => {
  let tokens = 0;
  for (const { lines } of attempts) {
    for (const { meter, unit, quantity } of lines) {
      if (unit === 'token') tokens += Number(quantity);
      else if (meter === 'bound' && quote) tokens += boundTokens(quote.bound);
    }
  }
  return tokens;
};

/** Counts a new reservation, and says in what; undefined for most accounts. */
export const countReserved = (
  limits: Limits,
  data: Reserved,
  occurredAt: string,
): readonly Counted[] | undefined => {
  if (limits.counting.size === 0 && data.tier !== 'free') return undefined;
  const counted: Counted[] = [];
  if (data.tier === 'free') {
    const month = freeMonthOf(data);
    const period = periodIn(limits.freeMonths, month.period);
    period.openReservations++;
    period.used = period.used.plus(month.amount);
    counted.push(month);
  }
  for (const limit of limitsOn(limits.counting, data.purpose)) {
    const each = countedIn(limit, data, occurredAt);
    const period = periodIn(limit.periods, each.period);
    period.openReservations++;
    period.used = period.used.plus(each.amount);
    counted.push(each);
  }
  return counted.length > 0 ? counted : undefined;
};

const freeMonthOf = (data: Reserved): Counted => ({
  limitId: undefined,
  since: -1,
  period: data.localDate.slice(0, 7),
  unit: 'credits',
  amount: parseMoney(data.amountCredits),
});

const countedIn = (limit: Limit, data: Reserved, occurredAt: string): Counted => ({
  limitId: limit.limitId,
  since: limit.since,
  period: periodOf(limit.window, occurredAt, data.localDate),
  unit: limit.unit,
  amount: reservedIn(limit.unit, data),
});

const periodIn = (periods: Map<string, Period>, name: string): Period => {
  const known = periods.get(name);
  if (known) return known;
  for (const old of periods.values()) if (old.openReservations === 0) periods.delete(old.name);
  const made = { name, used: zero, charged: zero, openReservations: 0, warned: false };
  periods.set(name, made);
  return made;
};

/** The reservation has been settled: what was used stands in the place of what was reserved. */
export const countSettled = (
  limits: Limits,
  counted: readonly Counted[] | undefined,
  charge: Charge,
  quote: Quote | undefined,
): void => {
  if (!counted) return;
  for (const each of counted) recount(limits, each, chargedIn(each.unit, charge, quote), 1);
};

/** Charged late, or charged again, in the window of the reservation. */
export const countCharged = (
  limits: Limits,
  counted: readonly Counted[] | undefined,
  charge: Charge,
  quote: Quote | undefined,
): void => {
  if (!counted) return;
  for (const each of counted) recount(limits, each, chargedIn(each.unit, charge, quote), 0);
};

export const countReleased = (limits: Limits, counted: readonly Counted[] | undefined): void => {
  if (!counted) return;
  for (const each of counted) recount(limits, each, zero, 1);
};

const recount = (limits: Limits, counted: Counted, amount: Money, closes: 0 | 1): void => {
  const before = counted.amount;
  counted.amount = amount;
  // A limit that was removed, or a window that was dropped, still has reservations that end.
  const limit = limitOf(limits, counted);
  const periods = counted.limitId === undefined ? limits.freeMonths : limit?.periods;
  const period = periods?.get(counted.period);
  if (!period) return;
  period.openReservations -= closes;
  const replaced = closes === 1 ? zero : before;
  if (!amount.eq(before)) period.used = period.used.minus(before).plus(amount);
  if (amount.eq(replaced)) return;
  period.charged = period.charged.minus(replaced).plus(amount);
  if (limit) watchSoft(limits, limit, period);
};

const limitOf = (limits: Limits, counted: Counted): Limit | undefined => {
  if (counted.limitId === undefined) return undefined;
  const limit = limits.byId.get(counted.limitId);
  return limit?.since === counted.since ? limit : undefined;
};

/**
 * What a closed reservation counts for, told from its events alone and counting nothing anew: for one that memory has
 * forgotten. `charge` is of its last charge, undefined where it was released and never charged.
 */
export const countedBefore = (
  limits: Limits,
  reserved: { readonly data: Reserved; readonly occurredAt: string; readonly revision: number },
  charge: Charge | undefined,
): readonly Counted[] | undefined => {
  const { data, occurredAt, revision } = reserved;
  if (limits.counting.size === 0 && data.tier !== 'free') return undefined;
  const counted = data.tier === 'free' ? [freeMonthOf(data)] : [];
  for (const limit of limitsOn(limits.counting, data.purpose)) {
    if (limit.since < revision) counted.push(countedIn(limit, data, occurredAt));
  }
  for (const each of counted) {
    each.amount = charge ? chargedIn(each.unit, charge, data.quote) : zero;
  }
  return counted.length > 0 ? counted : undefined;
};
