import type { GrantKind } from '@tollkeeper/events';
import { parseMoney, unreachable, type Money } from '@tollkeeper/kernel';
import { amountOf, sumOf } from '../projector/amounts.js';
import { movesNoCredits, type LedgerEvent, type LedgerEventOf } from '../projector/ledger-event.js';

/**
 * The chart of accounts, in credits. Each is kept by customer (the event's account); the sum over all customers is the
 * operator's books.
 *
 * | account                        | is                                                          | normally |
 * | ------------------------------ | ----------------------------------------------------------- | -------- |
 * | `liability:credits:available`  | what customers may still use                                | credit   |
 * | `liability:credits:reserved`   | what is reserved for calls under way                        | credit   |
 * | `asset:receivable:debt`        | what customers have used and owe                            | debit    |
 * | `asset:clearing:purchases`     | credits sold; the money is the grant's cost basis           | debit    |
 * | `asset:clearing:subscriptions` | credits that come with a subscription                       | debit    |
 * | `expense:promotions`           | credits given away, the initial ones included               | debit    |
 * | `expense:adjustments`          | upward less downward adjustments                            | debit    |
 * | `revenue:usage`                | what calls were charged, corrections included               | credit   |
 * | `revenue:refunds`              | what was given back of it                                   | debit    |
 * | `revenue:breakage:lapsed`      | credits that expired, less those that a refund made up for  | credit   |
 * | `revenue:breakage:voided`      | credits that were taken back with their grant               | credit   |
 */
export const journalAccounts = [
  'liability:credits:available',
  'liability:credits:reserved',
  'asset:receivable:debt',
  'asset:clearing:purchases',
  'asset:clearing:subscriptions',
  'expense:promotions',
  'expense:adjustments',
  'revenue:usage',
  'revenue:refunds',
  'revenue:breakage:lapsed',
  'revenue:breakage:voided',
] as const;
export type JournalAccount = (typeof journalAccounts)[number];

/** Credits; a debit is positive, a credit negative. Never zero. */
export interface Posting {
  readonly account: JournalAccount;
  readonly amount: Money;
}

const none: readonly Posting[] = [];

/** Whom a grant's credits come from; those of a refund that lapsed come from what lapsed. */
const sourceOf: Readonly<Record<GrantKind, JournalAccount>> = {
  purchase: 'asset:clearing:purchases',
  subscription: 'asset:clearing:subscriptions',
  initial: 'expense:promotions',
  promotion: 'expense:promotions',
  adjustment: 'expense:adjustments',
  refund: 'revenue:refunds',
};

const entry = (...lines: readonly (readonly [JournalAccount, Money])[]): readonly Posting[] =>
  lines.flatMap(([account, signed]) => (signed.isZero() ? [] : [{ account, amount: signed }]));

/**
 * The event as a journal entry: postings whose sum is zero, from this event alone. Events that move no credits have none.
 *
 * Liabilities come to the balance: available and reserved of `balances` are their credit balances, its debt the
 * receivable's debit balance.
 */
export const postingsOf = (event: LedgerEvent): readonly Posting[] => {
  switch (event.type) {
    case 'CreditsGranted':
      return granted(event.data);
    case 'Reserved': {
      const credits = sumOf(event.data.allocations);
      return move('liability:credits:available', 'liability:credits:reserved', credits);
    }
    case 'Settled':
      return settled(event.data);
    case 'SettledLate':
      return entry(
        ['liability:credits:available', sumOf(event.data.drawn)],
        ['asset:receivable:debt', amountOf(event.data.debt?.amountCredits)],
        ['revenue:usage', parseMoney(event.data.chargeCredits).neg()],
      );
    case 'Released': {
      const returned = sumOf(event.data.returned);
      const lapsed = sumOf(event.data.lapsed);
      return entry(
        ['liability:credits:reserved', returned.plus(lapsed)],
        ['liability:credits:available', returned.neg()],
        ['revenue:breakage:lapsed', lapsed.neg()],
      );
    }
    case 'UsageCorrected':
      return corrected(event.data);
    case 'DebtRepaid': {
      const credits = parseMoney(event.data.amountCredits);
      return move('liability:credits:available', 'asset:receivable:debt', credits);
    }
    case 'GrantExpired': {
      const credits = parseMoney(event.data.amountCredits);
      return move('liability:credits:available', 'revenue:breakage:lapsed', credits);
    }
    case 'GrantVoided': {
      const credits = parseMoney(event.data.amountCredits);
      return move('liability:credits:available', 'revenue:breakage:voided', credits);
    }
    case 'CreditsAdjusted':
      return entry(
        ['liability:credits:available', sumOf(event.data.drawn)],
        ['asset:receivable:debt', amountOf(event.data.debt?.amountCredits)],
        ['expense:adjustments', parseMoney(event.data.amountCredits).neg()],
      );
    case 'Refunded':
      return entry(
        ['revenue:refunds', parseMoney(event.data.amountCredits)],
        ['liability:credits:available', sumOf(event.data.returned).neg()],
        ['revenue:breakage:lapsed', sumOf(event.data.lapsed).neg()],
        ['asset:receivable:debt', amountOf(event.data.debtCancelledCredits).neg()],
      );
    case 'AccountOpened':
      return none;
    default:
      return movesNoCredits(event) ? none : unreachable(event);
  }
};

/** Debits the first, credits the second. */
const move = (debited: JournalAccount, credited: JournalAccount, credits: Money) =>
  entry([debited, credits], [credited, credits.neg()]);

const granted = (data: LedgerEventOf<'CreditsGranted'>['data']): readonly Posting[] => {
  const source = data.refundId === undefined ? sourceOf[data.kind] : 'revenue:breakage:lapsed';
  return move(source, 'liability:credits:available', parseMoney(data.amountCredits));
};

const settled = (data: LedgerEventOf<'Settled'>['data']): readonly Posting[] => {
  const returned = sumOf(data.returned);
  const lapsed = sumOf(data.lapsed);
  return entry(
    ['liability:credits:reserved', sumOf(data.drawn).plus(returned).plus(lapsed)],
    ['liability:credits:available', sumOf(data.drawnBeyond).minus(returned)],
    ['asset:receivable:debt', amountOf(data.debt?.amountCredits)],
    ['revenue:usage', parseMoney(data.chargeCredits).neg()],
    ['revenue:breakage:lapsed', lapsed.neg()],
  );
};

const corrected = (data: LedgerEventOf<'UsageCorrected'>['data']): readonly Posting[] =>
  entry(
    ['revenue:usage', parseMoney(data.deltaCredits).neg()],
    ['liability:credits:available', sumOf(data.drawn).minus(sumOf(data.returned))],
    ['revenue:breakage:lapsed', sumOf(data.lapsed).neg()],
    [
      'asset:receivable:debt',
      amountOf(data.debt?.amountCredits).minus(amountOf(data.debtCancelledCredits)),
    ],
  );
