import type { CreditAccountEvent } from '@tollkeeper/events';
import { formatMoney } from '@tollkeeper/kernel';
import type { CreditAccount } from './state.js';

const none: readonly CreditAccountEvent[] = [];

/** Soft limits that what is charged has passed just now: once for each time that it does. */
export const limitWarnings = (account: CreditAccount): readonly CreditAccountEvent[] => {
  const { passed } = account.limits;
  if (passed.size === 0) return none;
  const warnings: CreditAccountEvent[] = [];
  for (const [{ name, charged }, { limitId, amount }] of passed) {
    const figures = { used: formatMoney(charged), amount: formatMoney(amount) };
    warnings.push({ type: 'LimitWarned', data: { limitId, period: name, ...figures } });
  }
  return warnings;
};
