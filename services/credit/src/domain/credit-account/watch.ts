import type { Money } from '@tollkeeper/kernel';

export interface Threshold {
  readonly credits: Money;
  /** True once the balance has fallen below, until it is up again. */
  raised: boolean;
}

export interface TopUpRule {
  readonly thresholdCredits: Money;
  readonly amountCredits: Money;
  readonly coolDownMs: number;
  readonly monthlyCapCredits: Money;
  readonly enabled: boolean;
}

/** What was requested so far; a new rule does not forget it. */
export interface TopUps {
  count: number;
  lastAtMs: number;
  /** The account's month of the last request, and what was requested in it. */
  month: string;
  monthCredits: Money;
  /** Requested and not paid yet. */
  readonly unfulfilled: Set<string>;
}

/** What an account has, kept from event to event for those who want to know when it runs low. */
export interface Watch {
  /**
   * At the time of the account's last event. Alerts go by it, since a call that reserves much and costs little
   * would take what is available below a threshold and back each time.
   */
  balanceCredits: Money;
  /** At that time too. Top-ups go by it: who has nothing available is refused, whatever is reserved. */
  availableCredits: Money;
  /** Highest first. */
  thresholds: Threshold[];
  topUpRule: TopUpRule | undefined;
  readonly topUps: TopUps;
}
