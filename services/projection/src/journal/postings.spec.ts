import fc from 'fast-check';
import { formatMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { balanceAfter, type Balance } from '../balances/balances.projection.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { everything } from '../story/everything.fixture.js';
import { eventsOf } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';
import { journalAccounts, postingsOf, type JournalAccount } from './postings.js';

const funded = (): AccountStory => new AccountStory('a').opened().granted('10');
const briefly = (): AccountStory =>
  new AccountStory('a').opened().granted('10', { expiresAt: '2026-11-20T10:00:30.000Z' });

/** The entry of the story's last event but `back`, as signed amounts by account. */
const entryOf = (story: AccountStory, back = 0): Record<string, string> => {
  const event = eventsOf(story).at(-1 - back);
  if (!event) throw new Error('no event');
  return Object.fromEntries(
    postingsOf(event).map(({ account, amount }) => [account, formatMoney(amount)]),
  );
};

describe('a journal entry', () => {
  it.each<[string, AccountStory, Record<string, string>]>([
    [
      'of a purchase',
      funded(),
      { 'asset:clearing:purchases': '10', 'liability:credits:available': '-10' },
    ],
    [
      'of a promotion',
      new AccountStory('a').opened().granted('3', { kind: 'promotion' }),
      { 'expense:promotions': '3', 'liability:credits:available': '-3' },
    ],
    [
      'of an upward adjustment',
      new AccountStory('a').opened().granted('3', { kind: 'adjustment' }),
      { 'expense:adjustments': '3', 'liability:credits:available': '-3' },
    ],
    [
      'of a reservation',
      funded().reserved('r', '4'),
      { 'liability:credits:available': '4', 'liability:credits:reserved': '-4' },
    ],
    [
      'of a charge within its reservation',
      funded().reserved('r', '4').settled('r', '3'),
      {
        'liability:credits:reserved': '4',
        'liability:credits:available': '-1',
        'revenue:usage': '-3',
      },
    ],
    [
      'of a charge that leaves a debt',
      funded().reserved('r', '4').settled('r', '12'),
      {
        'liability:credits:reserved': '4',
        'liability:credits:available': '6',
        'asset:receivable:debt': '2',
        'revenue:usage': '-12',
      },
    ],
    [
      'of a release whose grant is over',
      briefly().reserved('r', '4').later(60_000).released('r'),
      { 'liability:credits:reserved': '4', 'revenue:breakage:lapsed': '-4' },
    ],
    [
      'of late usage',
      funded().reserved('r', '4').released('r').settledLate('r', '3'),
      { 'liability:credits:available': '3', 'revenue:usage': '-3' },
    ],
    [
      'of a correction downward',
      funded().reserved('r', '4').settled('r', '12').corrected('r', '9'),
      {
        'revenue:usage': '3',
        'liability:credits:available': '-1',
        'asset:receivable:debt': '-2',
      },
    ],
    [
      'of a repaid debt',
      funded().reserved('r', '4').settled('r', '12').granted('5'),
      { 'liability:credits:available': '2', 'asset:receivable:debt': '-2' },
    ],
    [
      'of a refund',
      funded().reserved('r', '4').settled('r', '12').refunded('r', '5'),
      {
        'revenue:refunds': '5',
        'liability:credits:available': '-3',
        'asset:receivable:debt': '-2',
      },
    ],
    [
      'of the grant that makes up for what a refund lets lapse',
      briefly().reserved('r', '4').settled('r', '4').later(60_000).refunded('r', '3'),
      { 'revenue:breakage:lapsed': '3', 'liability:credits:available': '-3' },
    ],
    [
      'of an expired grant',
      briefly().later(60_000).grantExpired('g1'),
      { 'liability:credits:available': '10', 'revenue:breakage:lapsed': '-10' },
    ],
    [
      'of a voided grant',
      funded().grantVoided('g1'),
      { 'liability:credits:available': '10', 'revenue:breakage:voided': '-10' },
    ],
    [
      'of a downward adjustment',
      funded().adjusted('12'),
      {
        'liability:credits:available': '10',
        'asset:receivable:debt': '2',
        'expense:adjustments': '-12',
      },
    ],
    ['of a change that moves no credits', funded().frozen(), {}],
  ])('%s', (_title, story, expected) => {
    expect(entryOf(story)).toEqual(expected);
  });

  it('of what a refund lets lapse leaves no breakage behind its new grant', () => {
    const story = briefly().reserved('r', '4').settled('r', '4').later(60_000).refunded('r', '3');
    expect(entryOf(story, 1)).toEqual({
      'revenue:refunds': '3',
      'revenue:breakage:lapsed': '-3',
    });
  });
});

const booksOf = (story: AccountStory): void => {
  const sums = new Map<JournalAccount, Money>(journalAccounts.map((account) => [account, zero]));
  const sum = (account: JournalAccount): Money => sums.get(account) ?? zero;
  let balance: Balance | undefined;
  // Grants of kind refund that name no refund are booked as refunds too, though they change no charge.
  let refundedBeside = zero;
  for (const event of eventsOf(story)) {
    const postings = postingsOf(event);
    expect(formatMoney(sumMoney(postings.map(({ amount }) => amount)))).toBe('0');
    for (const { account, amount } of postings) {
      expect(amount.isZero()).toBe(false);
      sums.set(account, sum(account).plus(amount));
    }
    balance = balanceAfter(balance, event);
    if (event.type === 'CreditsGranted' && event.data.kind === 'refund' && !event.data.refundId) {
      refundedBeside = refundedBeside.plus(event.data.amountCredits);
    }
    expect({
      available: formatMoney(sum('liability:credits:available').neg()),
      reserved: formatMoney(sum('liability:credits:reserved').neg()),
      debt: formatMoney(sum('asset:receivable:debt')),
      charged: formatMoney(sum('revenue:usage').plus(sum('revenue:refunds')).neg()),
      voided: formatMoney(sum('revenue:breakage:voided').neg()),
    }).toEqual({
      available: formatMoney(balance.available),
      reserved: formatMoney(balance.reserved),
      debt: formatMoney(balance.debt),
      charged: formatMoney(balance.charged.minus(refundedBeside)),
      voided: formatMoney(balance.voided),
    });
  }
};

describe('the journal', () => {
  it.each(everything().map((story) => [story.accountId, story] as const))(
    'balances after every event of %s, and its liabilities are the balance',
    (_title, story) => {
      booksOf(story);
    },
  );

  it('balances after every event of any story, and its liabilities are the balance', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        booksOf(story);
      }),
    );
  });
});
