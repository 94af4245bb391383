import {
  creditSubjects,
  limitReply,
  limitsReply,
  recur,
  releaseReply,
  removeLimit,
  setAlerts,
  setLimit,
  setTopUpRule,
  type LimitsView,
} from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import type { Operator } from '../operator.js';
import { checkedId } from './account.js';
import { checkedBody, order } from './correction.js';

export interface LimitOptions {
  readonly scope: string;
  readonly window: string;
  readonly unit: string;
  readonly mode: string;
}

/** `account`, or `key:`, `user:` or `project:` and an id. */
export const scopeOf = (text: string): { readonly type: string; readonly id?: string } => {
  if (text === 'account') return { type: text };
  const [, type, id] = /^(key|user|project):(.+)$/.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { type, id: checkedId(id) };
  throw new CommandError(
    'invalid-option',
    `"${text}" is not a scope: account, key:<id>, user:<id> or project:<id>`,
  );
};

/** A whole number as a person writes it. */
export const checkedCount = (option: string, text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError('invalid-option', `${option}: "${text}" is not a whole number`);
};

export const limitAt = (
  operator: Operator,
  accountId: string,
  what: { readonly limitId: string; readonly amount: string },
  { scope, window, unit, mode }: LimitOptions,
) => {
  const body = checkedBody(setLimit, { ...what, scope: scopeOf(scope), window, unit, mode });
  return order(operator, { subject: creditSubjects.setLimit, accountId, body, reply: limitReply });
};

export const unlimit = (operator: Operator, accountId: string, limitId: string) => {
  const subject = creditSubjects.removeLimit;
  const body = checkedBody(removeLimit, { limitId });
  return order(operator, { subject, accountId, body, reply: limitReply });
};

export const limitsOf = (operator: Operator, accountId: string): Promise<LimitsView> => {
  const subject = creditSubjects.limits(checkedId(accountId));
  return operator.order({ subject, body: {}, reply: limitsReply });
};

/** One line for each limit: what it allows, and what of that is used. */
export const limitLines = ({ limits }: LimitsView): string[] =>
  limits.map(({ limitId, scope, mode, unit, window, ...limit }) => {
    const whose = scope.id === undefined ? scope.type : `${scope.type}:${scope.id}`;
    const used = limit.used === undefined ? '' : `  used ${limit.used}`;
    return `  ${limitId}  ${whose}  ${limit.amount} ${unit} per ${window} (${mode})${used}`;
  });

export interface RecurOptions {
  readonly day: string;
  readonly rolloverCap?: string;
  readonly kind: string;
}

/** `amountCredits` 0 ends it. */
export const recurAt = (
  operator: Operator,
  accountId: string,
  what: { readonly recurringId: string; readonly amountCredits: string },
  { day, rolloverCap, kind }: RecurOptions,
) => {
  const dayOfMonth = checkedCount('day', day);
  const body = checkedBody(recur, { ...what, kind, dayOfMonth, rolloverCapCredits: rolloverCap });
  return order(operator, { subject: creditSubjects.recur, accountId, body, reply: releaseReply });
};

export const alertAt = (
  operator: Operator,
  accountId: string,
  thresholdsCredits: readonly string[],
) => {
  const body = checkedBody(setAlerts, { thresholdsCredits });
  return order(operator, { subject: creditSubjects.alerts, accountId, body, reply: releaseReply });
};

export interface TopUpOptions {
  readonly below: string;
  readonly amount: string;
  readonly monthlyCap: string;
  readonly coolDown?: string;
  readonly off: boolean;
}

export const topUpAt = (operator: Operator, accountId: string, options: TopUpOptions) => {
  const { below, amount, monthlyCap, coolDown, off } = options;
  const body = checkedBody(setTopUpRule, {
    thresholdCredits: below,
    amountCredits: amount,
    monthlyCapCredits: monthlyCap,
    coolDownSeconds: coolDown === undefined ? undefined : checkedCount('cool-down', coolDown),
    enabled: !off,
  });
  const subject = creditSubjects.topUpRule;
  return order(operator, { subject, accountId, body, reply: releaseReply });
};
