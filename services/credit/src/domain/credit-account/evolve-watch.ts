import type { CreditAccountEventOf, EventMetadata } from '@tollkeeper/events';
import { parseMoney, zero } from '@tollkeeper/kernel';
import { remember } from './evolve-account.js';
import { availableCredits, balanceCredits, type CreditAccount } from './state.js';
import type { Watch } from './watch.js';

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash' | 'occurredAt'>;

/** Looks once an event at what the account has, so that whoever asks next need not. */
export const watchBalance = (account: CreditAccount, watch: Watch): void => {
  watch.balanceCredits = balanceCredits(account, account.lastEventAtMs);
  watch.availableCredits = availableCredits(account, account.lastEventAtMs);
  for (const threshold of watch.thresholds) {
    if (threshold.raised && threshold.credits.lte(watch.balanceCredits)) threshold.raised = false;
  }
};

/** A threshold that was there before and has been raised stays so. */
export const setAlerts = (
  account: CreditAccount,
  data: CreditAccountEventOf<'BalanceAlertsSet'>['data'],
  meta: Meta,
): void => {
  const watch = watchOf(account);
  const raised = watch.thresholds.filter((each) => each.raised);
  watch.thresholds = data.thresholdsCredits
    .map(parseMoney)
    .sort((a, b) => b.cmp(a))
    .map((credits) => ({ credits, raised: raised.some((each) => each.credits.eq(credits)) }));
  remember(account, meta);
};

export const raiseLowBalance = (
  account: CreditAccount,
  data: CreditAccountEventOf<'LowBalanceReached'>['data'],
): void => {
  const credits = parseMoney(data.thresholdCredits);
  for (const threshold of watchOf(account).thresholds) {
    if (threshold.credits.eq(credits)) threshold.raised = true;
  }
};

export const setTopUpRule = (
  account: CreditAccount,
  data: CreditAccountEventOf<'TopUpRuleSet'>['data'],
  meta: Meta,
): void => {
  watchOf(account).topUpRule = {
    thresholdCredits: parseMoney(data.thresholdCredits),
    amountCredits: parseMoney(data.amountCredits),
    coolDownMs: data.coolDownSeconds * 1000,
    monthlyCapCredits: parseMoney(data.monthlyCapCredits),
    enabled: data.enabled,
  };
  remember(account, meta);
};

export const requestTopUp = (
  account: CreditAccount,
  data: CreditAccountEventOf<'TopUpRequested'>['data'],
  meta: Meta,
): void => {
  const { topUps } = watchOf(account);
  const month = data.localDate.slice(0, 7);
  const before = topUps.month === month ? topUps.monthCredits : zero;
  topUps.month = month;
  topUps.monthCredits = before.plus(parseMoney(data.amountCredits));
  topUps.count++;
  topUps.lastAtMs = Date.parse(meta.occurredAt);
  topUps.unfulfilled.add(data.topUpId);
};

const watchOf = (account: CreditAccount): Watch =>
  (account.watch ??= {
    balanceCredits: zero,
    availableCredits: zero,
    thresholds: [],
    topUpRule: undefined,
    topUps: { count: 0, lastAtMs: 0, month: '', monthCredits: zero, unfulfilled: new Set() },
  });
