import type { CreditAccountEvent } from '@tollkeeper/events';
import { formatMoney, zero } from '@tollkeeper/kernel';
import { today, type DecisionContext } from './context.js';
import { drawFromGrants, toAllocation } from './draw.js';
import { limitWarnings } from './soft-limits.js';
import type { CreditAccount } from './state.js';
import type { TopUpRule, Watch } from './watch.js';

/** However short its cool-down, a request that nobody has paid is not made again within this time. */
const unfulfilledMinMs = 60_000;

/**
 * What an account's new state brings about by itself, after a command has changed it: stored in the same append,
 * under the command's id. Asked again until it is silent, so that one consequence may have another.
 */
export const followUps = (
  account: CreditAccount,
  context: DecisionContext,
): readonly CreditAccountEvent[] => {
  const { watch } = account;
  if (!account.debtCredits.isZero()) {
    const repaid = repayments(account, context);
    if (repaid.length > 0) return repaid;
  }
  if (watch) {
    const noticed = watched(account, watch, context);
    if (noticed.length > 0) return noticed;
  }
  return limitWarnings(account);
};

/** Whatever is unreserved pays what is owed, in draw order. */
const repayments = (
  account: CreditAccount,
  context: DecisionContext,
): readonly CreditAccountEvent[] =>
  drawFromGrants(account, account.debtCredits, context.at.getTime()).parts.map((part) => ({
    type: 'DebtRepaid',
    data: toAllocation(part),
  }));

const watched = (
  account: CreditAccount,
  watch: Watch,
  context: DecisionContext,
): readonly CreditAccountEvent[] => {
  const balance = watch.balanceCredits;
  const events: CreditAccountEvent[] = [];
  for (const { credits, raised } of watch.thresholds) {
    // Highest first: those that follow are lower still.
    if (balance.gte(credits)) break;
    if (raised) continue;
    events.push({
      type: 'LowBalanceReached',
      data: {
        thresholdCredits: formatMoney(credits),
        balanceCredits: formatMoney(balance),
        availableCredits: formatMoney(watch.availableCredits),
        localDate: today(account, context),
      },
    });
  }
  const { topUpRule } = watch;
  if (topUpRule && isTopUpDue(topUpRule, account, watch, context)) {
    events.push({
      type: 'TopUpRequested',
      data: {
        topUpId: `topup_${String(watch.topUps.count + 1)}`,
        amountCredits: formatMoney(topUpRule.amountCredits),
        availableCredits: formatMoney(watch.availableCredits),
        localDate: today(account, context),
      },
    });
  }
  return events;
};

/** A frozen account asks for no money. */
const isTopUpDue = (
  rule: TopUpRule,
  account: CreditAccount,
  { availableCredits, topUps }: Watch,
  context: DecisionContext,
): boolean => {
  if (!rule.enabled || account.frozen || availableCredits.gte(rule.thresholdCredits)) return false;
  const pauseMs =
    topUps.unfulfilled.size > 0 ? Math.max(rule.coolDownMs, unfulfilledMinMs) : rule.coolDownMs;
  if (topUps.count > 0 && context.at.getTime() < topUps.lastAtMs + pauseMs) return false;
  const month = today(account, context).slice(0, 7);
  const requested = topUps.month === month ? topUps.monthCredits : zero;
  return requested.plus(rule.amountCredits).lte(rule.monthlyCapCredits);
};
