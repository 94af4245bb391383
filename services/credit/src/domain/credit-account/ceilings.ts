import type { LimitUnit } from '@tollkeeper/events';
import { formatMoney, minMoney, zero, type Money } from '@tollkeeper/kernel';
import type { RequestedPurpose } from './commands.js';
import { today, type DecisionContext } from './context.js';
import { limitsOn, type Limit } from './limits.js';
import { periodOf, resetsAt } from './limit-windows.js';
import { freeMonthlyBudgetCredits } from './set-rules.js';
import type { CreditAccount } from './state.js';
import { refuse, type Verdict } from './verdict.js';

/** What a hard limit, or the free tier's month, lets a new reservation come to. */
export interface Ceiling {
  /** Undefined: the free tier's monthly budget. */
  readonly limit: Limit | undefined;
  readonly unit: LimitUnit;
  readonly amount: Money;
  readonly used: Money;
}

/** What a reservation would count for; each unit is worked out only where something bounds it. */
export type Demand = (unit: LimitUnit) => Money;

export const noCeilings: readonly Ceiling[] = [];

/** Those that a purpose falls under; most accounts have none. */
export const ceilingsOn = (
  account: CreditAccount,
  purpose: RequestedPurpose,
  context: DecisionContext,
): readonly Ceiling[] => {
  const { limits } = account;
  if (limits.counting.size === 0 && account.tier !== 'free') return noCeilings;
  const { userId = account.ownerUserId, keyId, projectId } = purpose;
  const found = limitsOn(limits.counting, { userId, keyId, projectId });
  if (found.length === 0 && account.tier !== 'free') return noCeilings;
  const localDate = today(account, context);
  const ceilings: Ceiling[] = [];
  if (account.tier === 'free') {
    const used = limits.freeMonths.get(localDate.slice(0, 7))?.used ?? zero;
    const amount = freeMonthlyBudgetCredits(context);
    ceilings.push({ limit: undefined, unit: 'credits', amount, used });
  }
  if (found.length === 0) return ceilings;
  const occurredAt = context.at.toISOString();
  for (const limit of found) {
    if (limit.mode !== 'hard') continue;
    const period = limit.periods.get(periodOf(limit.window, occurredAt, localDate));
    const { unit, amount } = limit;
    ceilings.push({ limit, unit, amount, used: period?.used ?? zero });
  }
  return ceilings;
};

/** The first one that a reservation would pass. */
export const passedBy = (ceilings: readonly Ceiling[], demand: Demand): Ceiling | undefined =>
  ceilings.find((ceiling) => {
    const required = demand(ceiling.unit);
    return !required.isZero() && ceiling.used.plus(required).gt(ceiling.amount);
  });

/** What the ceilings of a unit leave, below zero where more was used than allowed; undefined where there are none. */
export const leftUnder = (ceilings: readonly Ceiling[], unit: LimitUnit): Money | undefined => {
  let least: Money | undefined;
  for (const ceiling of ceilings) {
    if (ceiling.unit !== unit) continue;
    const left = ceiling.amount.minus(ceiling.used);
    least = least ? minMoney(least, left) : left;
  }
  return least;
};

export const refuseAt = (
  ceiling: Ceiling,
  demand: Demand,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const { limit, unit } = ceiling;
  const required = formatMoney(demand(unit));
  const used = formatMoney(ceiling.used);
  const amount = formatMoney(ceiling.amount);
  const window = limit?.window ?? 'month';
  const resets = resetsAt(window, context.at, account.timeZone);
  const when = resets ? { resetsAt: resets.toISOString() } : {};
  if (!limit) {
    return refuse(
      'free-tier-budget',
      `the free tier has ${amount} credits a month: ${used} are used and ${required} are required`,
      { budget: amount, used, required, ...when },
    );
  }
  const { limitId, scope } = limit;
  const span = window === 'total' ? 'in total' : `a ${window}`;
  return refuse(
    'limit-reached',
    `limit ${limitId} allows ${amount} ${unit} ${span}: ${used} are used and ${required} are required`,
    { limitId, scope, window, unit, amount, used, required, ...when },
  );
};
