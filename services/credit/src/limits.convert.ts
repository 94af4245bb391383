import * as contracts from '@tollkeeper/contracts';
import type { LimitsView } from '@tollkeeper/contracts';
import { formatMoney, localDate, parseMoney } from '@tollkeeper/kernel';
import type { z } from 'zod';
import {
  identify,
  lookRequest,
  parse,
  requestOf,
  type Converter,
  type Request,
} from './credit-request.js';
import { periodOf, resetsAt } from './domain/credit-account/limit-windows.js';
import type { SetLimit } from './domain/credit-account/set-limit.js';
import type { CreditAccount } from './domain/credit-account/state.js';

const toSetLimit = (
  body: z.output<typeof contracts.setLimit>,
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

export type LimitVerb = 'setLimit' | 'removeLimit';

const setLimitRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.setLimit, raw);
  const command = toSetLimit(body, identify('SetLimit', body, envelope));
  return requestOf(command, body, envelope, true, limitAnswer(body.limitId));
};

const removeLimitRequest: Converter = (raw, envelope) => {
  const body = parse(contracts.removeLimit, raw);
  const { limitId } = body;
  const ids = identify('RemoveLimit', body, envelope);
  return requestOf(
    { type: 'RemoveLimit', ...ids, limitId },
    body,
    envelope,
    true,
    limitAnswer(limitId),
  );
};

const limitAnswer = (limitId: string) => (): contracts.LimitAccepted => ({
  status: 'accepted',
  limitId,
});

export const limitConverters: Readonly<Record<LimitVerb, Converter>> = {
  setLimit: setLimitRequest,
  removeLimit: removeLimitRequest,
};

export const limitsRequest = (): Request => lookRequest(limitsView);
