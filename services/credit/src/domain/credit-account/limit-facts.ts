import type { CreditAccountEventOf } from '@tollkeeper/events';
import { parseMoney } from '@tollkeeper/kernel';
import { addLimit, dropLimit, isSameBudget, watchSoft, type Limit, type Limits } from './limits.js';

type LimitEvent = CreditAccountEventOf<'LimitSet' | 'LimitRemoved' | 'LimitWarned'>;

interface Meta {
  readonly commandId: string;
  readonly commandHash: string;
}

/** Applies a fact about a limit, stored at this revision. Why the stream contradicts itself, where it does. */
export const evolveLimits = (
  limits: Limits,
  event: LimitEvent,
  meta: Meta,
  revision: number,
): string | undefined => {
  switch (event.type) {
    case 'LimitSet':
      limits.commandHashes.set(meta.commandId, meta.commandHash);
      return set(limits, event.data, revision);
    case 'LimitRemoved':
      limits.commandHashes.set(meta.commandId, meta.commandHash);
      return removed(limits, event.data);
    case 'LimitWarned':
      return warned(limits, event.data);
  }
};

const set = (
  limits: Limits,
  data: CreditAccountEventOf<'LimitSet'>['data'],
  revision: number,
): string | undefined => {
  const { limitId, scope, window, unit, mode } = data;
  const amount = parseMoney(data.amount);
  const made: Limit = {
    limitId,
    scope,
    window,
    unit,
    since: revision,
    amount,
    mode,
    periods: new Map(),
  };
  const known = limits.byId.get(limitId);
  if (!known) {
    addLimit(limits, made);
    return undefined;
  }
  if (!isSameBudget(known, data)) return `${limitId} was set for something else`;
  if ((known.mode === 'rate') === (mode === 'rate')) {
    known.amount = amount;
    known.mode = mode;
    for (const period of known.periods.values()) watchSoft(limits, known, period);
  } else {
    // What is counted in memory is not counted by facts: the count begins anew.
    dropLimit(limits, known);
    addLimit(limits, made);
  }
  return undefined;
};

const removed = (limits: Limits, data: { readonly limitId: string }): string | undefined => {
  const limit = limits.byId.get(data.limitId);
  if (!limit) return `${data.limitId} was never set`;
  dropLimit(limits, limit);
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
