import type { LimitsView, setLimit } from '@tollkeeper/contracts';
import { formatMoney, localDate, parseMoney } from '@tollkeeper/kernel';
import type { z } from 'zod';
import { periodOf, resetsAt } from './domain/credit-account/limit-windows.js';
import type { SetLimit } from './domain/credit-account/set-limit.js';
import type { CreditAccount } from './domain/credit-account/state.js';

export const toSetLimit = (
  body: z.output<typeof setLimit>,
  ids: Pick<SetLimit, 'commandId' | 'commandHash'>,
): SetLimit => {
  const { limitId, scope, window, unit, mode } = body;
  const amount = parseMoney(body.amount);
  return { type: 'SetLimit', ...ids, limitId, scope, window, unit, amount, mode };
};

/** Every limit of an account and how much of it is used in the window that it is now. */
export const limitsView = (account: CreditAccount, at: Date): LimitsView => {
  const { accountId, timeZone, limits } = account;
  const occurredAt = at.toISOString();
  const day = localDate(at, timeZone);
  const views: LimitsView['limits'] = [];
  for (const limit of limits.byId.values()) {
    const { limitId, scope, window, unit, mode } = limit;
    const amount = formatMoney(limit.amount);
    const period = periodOf(window, occurredAt, day);
    const resets = resetsAt(window, at, timeZone);
    const used = limit.periods.get(period)?.used;
    views.push({
      limitId,
      scope,
      window,
      unit,
      mode,
      amount,
      period,
      ...(mode === 'rate' ? {} : { used: used ? formatMoney(used) : '0' }),
      ...(resets ? { resetsAt: resets.toISOString() } : {}),
    });
  }
  return { accountId, limits: views, asOf: occurredAt };
};
