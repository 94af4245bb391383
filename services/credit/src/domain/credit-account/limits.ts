import type {
  Charge,
  CreditAccountEventOf,
  LimitScope,
  LimitUnit,
  LimitWindow,
  PricedAttempt,
  Purpose,
  Quote,
  QuotedCandidate,
  Reserved,
} from '@tollkeeper/events';
import { Money, parseMoney, zero } from '@tollkeeper/kernel';
import { periodOf } from './limit-windows.js';

type LimitSet = CreditAccountEventOf<'LimitSet'>['data'];
export type LimitMode = LimitSet['mode'];

/** A budget on the spending of a key, a user, a project or the whole account. */
export interface Limit {
  readonly limitId: string;
  readonly scope: LimitScope;
  readonly window: LimitWindow;
  readonly unit: LimitUnit;
  amount: Money;
  mode: LimitMode;
  /** By the window's name. Those that are over and have nothing open go when a new one begins. */
  readonly periods: Map<string, Period>;
}

/** What is counted in one window. */
export interface Period {
  readonly name: string;
  /** Undefined: the free tier's month. */
  readonly limit: Limit | undefined;
  /** In the limit's unit: charged, and reserved by what is still open. */
  used: Money;
  openReservations: number;
  warned: boolean;
}

/** What a reservation counts for in one window: as reserved, then as charged. */
export interface Counted {
  readonly period: Period;
  readonly unit: LimitUnit;
  amount: Money;
}

/** An account's limits, and what has been counted since each was set. */
export interface Limits {
  readonly byId: Map<string, Limit>;
  /** Soft and hard ones by scope: a reservation looks at those that it counts in only. */
  readonly counting: Map<string, Limit[]>;
  /** Those of mode `rate`, by scope; the owner counts them in its memory. */
  readonly rates: Map<string, Limit[]>;
  /** Credits of reservations made under the free tier, by the account's month. */
  readonly freeMonths: Map<string, Period>;
  /** Windows of soft limits that were passed and not yet warned of; empty between commands. */
  readonly passed: Set<Period>;
  /** Hashes of the commands that set or removed a limit, by command id. */
  readonly commandHashes: Map<string, string>;
}

export const newLimits = (): Limits => ({
  byId: new Map(),
  counting: new Map(),
  rates: new Map(),
  freeMonths: new Map(),
  passed: new Set(),
  commandHashes: new Map(),
});

const one = new Money(1);
const none: readonly Limit[] = [];

export const scopeKey = (scope: LimitScope): string =>
  scope.type === 'account' ? 'account' : `${scope.type}:${scope.id ?? ''}`;

/** The limits of an index that a purpose falls under. */
export const limitsOn = (
  index: ReadonlyMap<string, readonly Limit[]>,
  purpose: Pick<Purpose, 'userId' | 'keyId' | 'projectId'>,
): readonly Limit[] => {
  let found = index.get('account') ?? none;
  found = joined(found, index.get(`user:${purpose.userId}`));
  if (purpose.keyId !== undefined) found = joined(found, index.get(`key:${purpose.keyId}`));
  if (purpose.projectId !== undefined) {
    found = joined(found, index.get(`project:${purpose.projectId}`));
  }
  return found;
};

const joined = (some: readonly Limit[], more: readonly Limit[] | undefined): readonly Limit[] => {
  if (!more) return some;
  return some.length === 0 ? more : [...some, ...more];
};

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

const reservedIn = (unit: LimitUnit, data: Reserved, amountCredits: Money): Money => {
  switch (unit) {
    case 'credits':
      return amountCredits;
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

/** What a new reservation counts in; undefined for most accounts. */
export const countReserved = (
  limits: Limits,
  data: Reserved,
  amountCredits: Money,
  occurredAt: string,
): readonly Counted[] | undefined => {
  if (limits.counting.size === 0 && data.tier !== 'free') return undefined;
  const counted: Counted[] = [];
  if (data.tier === 'free') {
    const month = periodIn(limits.freeMonths, data.localDate.slice(0, 7), undefined);
    counted.push(opened(limits, month, 'credits', amountCredits));
  }
  for (const limit of limitsOn(limits.counting, data.purpose)) {
    const name = periodOf(limit.window, occurredAt, data.localDate);
    const amount = reservedIn(limit.unit, data, amountCredits);
    counted.push(opened(limits, periodIn(limit.periods, name, limit), limit.unit, amount));
  }
  return counted.length > 0 ? counted : undefined;
};

const opened = (limits: Limits, period: Period, unit: LimitUnit, amount: Money): Counted => {
  period.openReservations++;
  period.used = period.used.plus(amount);
  if (period.limit?.mode === 'soft') watch(limits, period, period.limit);
  return { period, unit, amount };
};

const periodIn = (periods: Map<string, Period>, name: string, limit: Limit | undefined): Period => {
  const known = periods.get(name);
  if (known) return known;
  for (const old of periods.values()) if (old.openReservations === 0) periods.delete(old.name);
  const made = { name, limit, used: zero, openReservations: 0, warned: false };
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
  for (const { period } of counted) period.openReservations--;
  countCharged(limits, counted, charge, quote);
};

/** Charged late, or charged again, in the window of the reservation. */
export const countCharged = (
  limits: Limits,
  counted: readonly Counted[] | undefined,
  charge: Charge,
  quote: Quote | undefined,
): void => {
  if (!counted) return;
  for (const each of counted) recount(limits, each, chargedIn(each.unit, charge, quote));
};

export const countReleased = (limits: Limits, counted: readonly Counted[] | undefined): void => {
  if (!counted) return;
  for (const each of counted) {
    each.period.openReservations--;
    recount(limits, each, zero);
  }
};

const recount = (limits: Limits, counted: Counted, amount: Money): void => {
  const { period } = counted;
  if (amount.eq(counted.amount)) return;
  period.used = period.used.minus(counted.amount).plus(amount);
  counted.amount = amount;
  if (period.limit?.mode === 'soft') watch(limits, period, period.limit);
};

const watch = (limits: Limits, period: Period, limit: Limit): void => {
  // A limit that was removed, or a window that was dropped, still has reservations that end.
  const counts = limits.byId.get(limit.limitId) === limit && limit.periods.has(period.name);
  const passed = limit.mode === 'soft' && !period.warned && period.used.gt(limit.amount);
  if (counts && passed) limits.passed.add(period);
  else limits.passed.delete(period);
};

/** Applies a fact about a limit. Why the stream contradicts itself, where it does. */
export const evolveLimits = (
  limits: Limits,
  event: CreditAccountEventOf<'LimitSet' | 'LimitRemoved' | 'LimitWarned'>,
  meta: { readonly commandId: string; readonly commandHash: string },
): string | undefined => {
  if (event.type === 'LimitWarned') return warned(limits, event.data);
  limits.commandHashes.set(meta.commandId, meta.commandHash);
  return event.type === 'LimitSet' ? set(limits, event.data) : removed(limits, event.data);
};

const set = (limits: Limits, data: LimitSet): string | undefined => {
  const known = limits.byId.get(data.limitId);
  if (!known) {
    const { limitId, scope, window, unit, mode } = data;
    const amount = parseMoney(data.amount);
    index(limits, { limitId, scope, window, unit, amount, mode, periods: new Map() });
    return undefined;
  }
  if (!isSameBudget(known, data)) return `${data.limitId} was set for something else`;
  known.amount = parseMoney(data.amount);
  if ((known.mode === 'rate') === (data.mode === 'rate')) {
    known.mode = data.mode;
    for (const period of known.periods.values()) watch(limits, period, known);
  } else {
    // What is counted in memory is not counted by facts: the count begins anew.
    unindex(limits, known);
    index(limits, { ...known, mode: data.mode, periods: new Map() });
  }
  return undefined;
};

/** Whether what is set is the same budget, perhaps of another size or mode. */
export const isSameBudget = (
  limit: Limit,
  other: Pick<LimitSet, 'scope' | 'window' | 'unit'>,
): boolean =>
  limit.window === other.window &&
  limit.unit === other.unit &&
  scopeKey(limit.scope) === scopeKey(other.scope);

const removed = (limits: Limits, data: { readonly limitId: string }): string | undefined => {
  const limit = limits.byId.get(data.limitId);
  if (!limit) return `${data.limitId} was never set`;
  unindex(limits, limit);
  return undefined;
};

const warned = (
  limits: Limits,
  data: CreditAccountEventOf<'LimitWarned'>['data'],
): string | undefined => {
  const period = limits.byId.get(data.limitId)?.periods.get(data.period);
  if (!period) return `${data.limitId} counts nothing in ${data.period}`;
  period.warned = true;
  limits.passed.delete(period);
  return undefined;
};

const index = (limits: Limits, limit: Limit): void => {
  limits.byId.set(limit.limitId, limit);
  const byScope = limit.mode === 'rate' ? limits.rates : limits.counting;
  const key = scopeKey(limit.scope);
  byScope.set(key, [...(byScope.get(key) ?? none), limit]);
};

const unindex = (limits: Limits, limit: Limit): void => {
  limits.byId.delete(limit.limitId);
  const byScope = limit.mode === 'rate' ? limits.rates : limits.counting;
  const key = scopeKey(limit.scope);
  const left = (byScope.get(key) ?? none).filter((each) => each !== limit);
  if (left.length > 0) byScope.set(key, left);
  else byScope.delete(key);
};
