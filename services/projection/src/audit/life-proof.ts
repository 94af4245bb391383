import { formatMoney, parseMoney, unreachable, zero, type Money } from '@tollkeeper/kernel';
import type { LedgerEventOf, LifeEvent } from '../projector/ledger-event.js';
import type { Fail } from './difference.js';

type TopUpRule = LedgerEventOf<'TopUpRuleSet'>['data'];

/** What moves no credits: tier, freeze, limits, alerts, and the rules by which credits come. */
export class LifeProof {
  private tier: string | undefined;
  private frozen = false;
  /** Amounts by id. */
  private readonly limits = new Map<string, Money>();
  private thresholds: readonly Money[] = [];
  private readonly recurring = new Set<string>();
  private readonly posted = new Set<string>();
  private topUpRule: TopUpRule | undefined;
  private readonly topUps = new Set<string>();
  private readonly unfulfilled = new Set<string>();
  private month = '';
  private requestedInMonth = zero;
  private requestedAtMs = -Infinity;

  open(tier: string): void {
    this.tier = tier;
  }

  /** @param free what is unreserved of all grants, those included that are over or not in force yet */
  check(event: LifeEvent, free: () => Money, fail: Fail): void {
    switch (event.type) {
      case 'TierChanged':
        if (event.data.from !== this.tier) fail('account', `the tier was ${this.tier ?? 'none'}`);
        this.tier = event.data.to;
        return;
      case 'AccountFrozen':
      case 'AccountUnfrozen':
        this.freeze(event.type === 'AccountFrozen', fail);
        return;
      case 'LimitSet':
        if (parseMoney(event.data.amount).lt(0)) fail('limits', 'a negative limit');
        this.limits.set(event.data.limitId, parseMoney(event.data.amount));
        return;
      case 'LimitRemoved':
        if (!this.limits.delete(event.data.limitId)) {
          fail('limits', `${event.data.limitId} is not set`);
        }
        return;
      case 'LimitWarned':
        this.warn(event, fail);
        return;
      case 'BalanceAlertsSet':
        this.thresholds = event.data.thresholdsCredits.map(parseMoney);
        return;
      case 'LowBalanceReached':
        this.alert(event, free(), fail);
        return;
      case 'RecurringGrantSet':
        this.recurring.add(event.data.recurringId);
        return;
      case 'TopUpRuleSet':
        this.topUpRule = event.data;
        return;
      case 'TopUpRequested':
        this.requestTopUp(event, free(), fail);
        return;
      default:
        unreachable(event);
    }
  }

  /** Credits that come by a rule come once a month; those that were requested, once. */
  granted({ recurring, topUpId }: LedgerEventOf<'CreditsGranted'>['data'], fail: Fail): void {
    if (recurring) {
      const { recurringId, period } = recurring;
      const posting = `${recurringId} ${period}`;
      if (!this.recurring.has(recurringId)) fail('recurring', `${recurringId} is not set`);
      if (this.posted.has(posting))
        fail('recurring', `${recurringId} is posted twice in ${period}`);
      this.posted.add(posting);
    }
    if (topUpId !== undefined && !this.unfulfilled.delete(topUpId)) {
      fail('top-up', `${topUpId} was not requested, or granted before`);
    }
  }

  private freeze(frozen: boolean, fail: Fail): void {
    if (this.frozen === frozen) fail('account', frozen ? 'is frozen already' : 'is not frozen');
    this.frozen = frozen;
  }

  private warn({ data }: LedgerEventOf<'LimitWarned'>, fail: Fail): void {
    const limit = this.limits.get(data.limitId);
    if (!limit) return fail('limits', `${data.limitId} is not set`);
    if (!limit.eq(parseMoney(data.amount))) {
      fail('limits', `${data.limitId} is ${formatMoney(limit)}, not ${data.amount}`);
    }
    if (parseMoney(data.used).lt(limit)) fail('limits', `${data.limitId} is not reached`);
  }

  private alert({ data }: LedgerEventOf<'LowBalanceReached'>, free: Money, fail: Fail): void {
    const threshold = parseMoney(data.thresholdCredits);
    if (!this.thresholds.some((set) => set.eq(threshold))) {
      fail('alerts', `${data.thresholdCredits} is no threshold`);
    }
    const balance = data.balanceCredits === undefined ? undefined : parseMoney(data.balanceCredits);
    if (balance?.gte(threshold)) {
      fail('alerts', `${formatMoney(balance)} is not below ${data.thresholdCredits}`);
    }
    this.available(data.availableCredits, threshold, free, (message) => fail('alerts', message));
  }

  private requestTopUp(
    { data, metadata }: LedgerEventOf<'TopUpRequested'>,
    free: Money,
    fail: Fail,
  ): void {
    const rule = this.topUpRule;
    const wrong = (message: string): never => fail('top-up', message);
    if (!rule?.enabled || this.frozen) return wrong('no rule is in force');
    if (this.topUps.has(data.topUpId)) wrong(`${data.topUpId} is requested twice`);
    const credits = parseMoney(data.amountCredits);
    if (!credits.eq(parseMoney(rule.amountCredits))) wrong(`the rule says ${rule.amountCredits}`);
    this.available(data.availableCredits, parseMoney(rule.thresholdCredits), free, wrong);

    const atMs = Date.parse(metadata.occurredAt);
    if (atMs < this.requestedAtMs + rule.coolDownSeconds * 1000) wrong('within the cool-down');
    const month = data.localDate.slice(0, 7);
    const before = month === this.month ? this.requestedInMonth : zero;
    this.requestedInMonth = before.plus(credits);
    if (this.requestedInMonth.gt(parseMoney(rule.monthlyCapCredits))) wrong(`beyond the cap`);
    this.month = month;
    this.requestedAtMs = atMs;
    this.topUps.add(data.topUpId);
    this.unfulfilled.add(data.topUpId);
  }

  private available(
    text: string,
    threshold: Money,
    free: Money,
    wrong: (message: string) => never,
  ): void {
    const available = parseMoney(text);
    if (available.gte(threshold)) wrong(`${text} is not below ${formatMoney(threshold)}`);
    if (available.gt(free))
      wrong(`${text} is more than the ${formatMoney(free)} that is unreserved`);
  }
}
