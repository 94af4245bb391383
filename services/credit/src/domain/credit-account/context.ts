import { localDate, type LocalDate } from '@tollkeeper/kernel';
import type { PriceBook } from '@tollkeeper/pricing';
import type { AccountRules } from './rules.js';
import type { CreditAccount } from './state.js';

/** What a decision needs besides the account: given, so that the same inputs decide the same. */
export interface DecisionContext {
  /** Stream time: never before the account's last event. */
  readonly at: Date;
  readonly prices: PriceBook;
  readonly rules: AccountRules;
  /** A reservation's life: the longest call, and time for its settle to arrive. */
  readonly reservationTtlMs: number;
}

/** The account's reporting day. */
export const today = (account: CreditAccount, context: DecisionContext): LocalDate =>
  localDate(context.at, account.timeZone);
