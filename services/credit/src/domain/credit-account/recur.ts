import type { CreditAccountEvent } from '@tollkeeper/events';
import {
  formatMoney,
  idPattern,
  minMoney,
  nextMonth,
  sumMoney,
  type LocalMonth,
} from '@tollkeeper/kernel';
import type { PostRecurringGrant, SetRecurringGrant } from './commands.js';
import { today, type DecisionContext } from './context.js';
import {
  dueAt,
  duePeriod,
  firstUnposted,
  recurringGrantId,
  type RecurringGrant,
} from './recurring-rule.js';
import { repeatedCommand } from './repeated.js';
import type { CreditAccount } from './state.js';
import { accept, refuse, type Verdict } from './verdict.js';

/**
 * Sets, changes or ends credits that come anew each month. The first come on the next such day after now; a change
 * does not bring a month's credits twice, nor take those that are due and not posted yet.
 */
export const setRecurringGrant = (
  command: SetRecurringGrant,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  const { recurringId, dayOfMonth } = command;
  if (!idPattern.test(recurringGrantId(recurringId, '2000-01'))) {
    return refuse('invalid-request', 'a recurringId must leave room for a month in 64 characters');
  }
  const known = account.recurringGrants.get(recurringId);
  const due = known && isDue(known, context) ? post(known, account, context) : undefined;
  const posted = due?.grantId;
  const nextPeriod = firstUnposted(
    recurringId,
    nextMonth(duePeriod(context.at, dayOfMonth, account.timeZone)),
    (grantId) => grantId === posted || account.grantsById.has(grantId),
  );
  return accept(...(due?.events ?? []), {
    type: 'RecurringGrantSet',
    data: {
      recurringId,
      kind: command.kind,
      amountCredits: formatMoney(command.amountCredits),
      priority: command.priority,
      dayOfMonth,
      ...(command.rolloverCapCredits
        ? { rolloverCapCredits: formatMoney(command.rolloverCapCredits) }
        : {}),
      ...(command.amountCredits.isZero()
        ? {}
        : { nextAt: dueAt(nextPeriod, dayOfMonth, account.timeZone).toISOString() }),
    },
  });
};

/** Posts the present month's credits, once; of months that were missed only that one comes. */
export const postRecurringGrant = (
  command: PostRecurringGrant,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const repeated = repeatedCommand(command, account);
  if (repeated) return repeated;
  const rule = account.recurringGrants.get(command.recurringId);
  if (!rule) return refuse('unknown-grant', `no recurring grant ${command.recurringId}`);
  if (!isDue(rule, context)) return refuse('invalid-request', `${rule.recurringId} is not due`);
  const { events, grantId } = post(rule, account, context);
  return events.length > 0
    ? accept(...events)
    : refuse('invalid-request', `${grantId} has been granted otherwise`);
};

const isDue = (rule: RecurringGrant, { at }: DecisionContext): boolean =>
  rule.nextAtMs !== undefined && rule.nextAtMs <= at.getTime();

const post = (
  rule: RecurringGrant,
  account: CreditAccount,
  context: DecisionContext,
): { readonly grantId: string; readonly events: readonly CreditAccountEvent[] } => {
  const { recurringId, dayOfMonth } = rule;
  const period = duePeriod(context.at, dayOfMonth, account.timeZone);
  const grantId = recurringGrantId(recurringId, period);
  if (account.grantsById.has(grantId)) return { grantId, events: [] };
  const granted: CreditAccountEvent = {
    type: 'CreditsGranted',
    data: {
      grantId,
      kind: rule.kind,
      amountCredits: formatMoney(rule.amountCredits),
      priority: rule.priority,
      effectiveAt: dueAt(period, dayOfMonth, account.timeZone).toISOString(),
      recurring: { recurringId, period, nextAt: nextAt(rule, period, account) },
      localDate: today(account, context),
    },
  };
  return { grantId, events: [...overCap(rule, account, context), granted] };
};

const nextAt = (rule: RecurringGrant, posted: LocalMonth, account: CreditAccount): string => {
  const period = firstUnposted(rule.recurringId, nextMonth(posted), (grantId) =>
    account.grantsById.has(grantId),
  );
  return dueAt(period, rule.dayOfMonth, account.timeZone).toISOString();
};

/** Takes the oldest of what earlier months have left unreserved, until the cap is kept. */
const overCap = (
  rule: RecurringGrant,
  account: CreditAccount,
  context: DecisionContext,
): CreditAccountEvent[] => {
  if (!rule.rolloverCapCredits) return [];
  const earlier = account.grants
    .filter((grant) => grant.recurringId === rule.recurringId && !grant.available.isZero())
    .sort((a, b) => a.order - b.order);
  let excess = sumMoney(earlier.map((grant) => grant.available)).minus(rule.rolloverCapCredits);
  const events: CreditAccountEvent[] = [];
  for (const grant of earlier) {
    if (excess.lte(0)) break;
    const amount = minMoney(excess, grant.available);
    excess = excess.minus(amount);
    events.push({
      type: 'GrantVoided',
      data: {
        grantId: grant.grantId,
        amountCredits: formatMoney(amount),
        reasonCode: 'rollover-cap',
        localDate: today(account, context),
      },
    });
  }
  return events;
};
