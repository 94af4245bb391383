import type {
  CreditAccountEventOf,
  LimitScope,
  LimitUnit,
  LimitWindow,
  Purpose,
} from '@tollkeeper/events';
import type { Money } from '@tollkeeper/kernel';

type LimitSet = CreditAccountEventOf<'LimitSet'>['data'];
export type LimitMode = LimitSet['mode'];

/** A budget on the spending of a key, a user, a project or the whole account. */
export interface Limit {
  readonly limitId: string;
  readonly scope: LimitScope;
  readonly window: LimitWindow;
  readonly unit: LimitUnit;
  /** Revision of the event since which it counts; one that was removed and set anew has another. */
  readonly since: number;
  amount: Money;
  mode: LimitMode;
  /** By the window's name. Those that are over and have nothing open go when a new one begins. */
  readonly periods: Map<string, Period>;
}

/** What is counted in one window, in the limit's unit. */
export interface Period {
  readonly name: string;
  /** Charged, and reserved by what is still open. */
  used: Money;
  /** Of that what is charged: a soft limit is passed by what was spent, not by what calls may yet cost. */
  charged: Money;
  openReservations: number;
  /** True once what is charged has passed the limit, until it is within it again. */
  warned: boolean;
}

/** An account's limits, and what has been counted since each was set. */
export interface Limits {
  readonly byId: Map<string, Limit>;
  /** Soft and hard ones by scope: a reservation looks at those that it counts in only. Follows from `byId`. */
  readonly counting: Map<string, Limit[]>;
  /** Those of mode `rate`, by scope; the owner counts them in its memory. Follows from `byId`. */
  readonly rates: Map<string, Limit[]>;
  /** Credits of reservations made under the free tier, by the account's month. */
  readonly freeMonths: Map<string, Period>;
  /** Windows of soft limits that were passed and not yet warned of; empty between commands. */
  readonly passed: Map<Period, Limit>;
  /** Hashes of the commands that set or removed a limit, by command id. */
  readonly commandHashes: Map<string, string>;
}

export const newLimits = (): Limits => ({
  byId: new Map(),
  counting: new Map(),
  rates: new Map(),
  freeMonths: new Map(),
  passed: new Map(),
  commandHashes: new Map(),
});

/** From what does not follow from anything else. */
export const restoredLimits = (
  kept: Pick<Limits, 'byId' | 'freeMonths' | 'commandHashes'>,
): Limits => {
  const limits = { ...newLimits(), freeMonths: kept.freeMonths, commandHashes: kept.commandHashes };
  for (const limit of kept.byId.values()) addLimit(limits, limit);
  return limits;
};

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

/** Whether what is set is the same budget, perhaps of another size or mode. */
export const isSameBudget = (
  limit: Limit,
  other: Pick<LimitSet, 'scope' | 'window' | 'unit'>,
): boolean =>
  limit.window === other.window &&
  limit.unit === other.unit &&
  scopeKey(limit.scope) === scopeKey(other.scope);

export const addLimit = (limits: Limits, limit: Limit): void => {
  limits.byId.set(limit.limitId, limit);
  const byScope = indexOf(limits, limit);
  const key = scopeKey(limit.scope);
  byScope.set(key, [...(byScope.get(key) ?? none), limit]);
};

export const dropLimit = (limits: Limits, limit: Limit): void => {
  limits.byId.delete(limit.limitId);
  const byScope = indexOf(limits, limit);
  const key = scopeKey(limit.scope);
  const left = (byScope.get(key) ?? none).filter((each) => each !== limit);
  if (left.length > 0) byScope.set(key, left);
  else byScope.delete(key);
};

const indexOf = (limits: Limits, limit: Limit): Map<string, Limit[]> =>
  limit.mode === 'rate' ? limits.rates : limits.counting;

/** To be called when what is charged, or the limit, has changed. */
export const watchSoft = (limits: Limits, limit: Limit, period: Period): void => {
  if (period.charged.lte(limit.amount)) {
    period.warned = false;
    limits.passed.delete(period);
  } else if (limit.mode === 'soft' && !period.warned) limits.passed.set(period, limit);
};
