import fc from 'fast-check';
import { formatMoney, parseMoney, sumMoney } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { given } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');

describe('credit transactions', () => {
  it.each([
    ['initial', 'initial_grant'],
    ['purchase', 'topup'],
    ['subscription', 'topup'],
    ['promotion', 'topup'],
    ['refund', 'refund'],
    ['adjustment', 'adjustment'],
  ] as const)('a grant of kind %s is a %s of the owner', (kind, type) => {
    const { transactions } = given(new AccountStory('a').opened()).when((story) => {
      story.granted('5', { kind, externalReference: 'inv-1' });
    });
    expect(transactions).toMatchObject([
      {
        type,
        amount: '5',
        balance_before: '0',
        balance_after: '5',
        user_id: 'owner_a',
        external_id: 'inv-1',
      },
    ]);
  });

  it('a charge is a deduction of the initiator, with its vendor cost', () => {
    const { transactions } = given(funded().reserved('r', '9', { projectId: 'p1' })).when(
      (story) => {
        story.settled('r', { input: 1000, output: 500 });
      },
    );
    expect(transactions).toMatchObject([
      {
        type: 'deduction',
        amount: '-1.125',
        balance_after: '98.875',
        user_id: 'caller',
        project_id: 'p1',
        usage_id: 'r',
        vendor_cost_usd: '0.0075',
      },
    ]);
  });

  it('a charge that nothing covers names the debt, and its repayment moves nothing', () => {
    const { transactions } = given(funded().reserved('r', '9')).when((story) => {
      story.settled('r', '130').granted('50');
    });
    expect(transactions).toMatchObject([
      { type: 'deduction', amount: '-130', balance_after: '-30', metadata: { debtCredits: '30' } },
      { type: 'topup', amount: '50', balance_before: '-30', balance_after: '20' },
    ]);
  });

  it('reserving and releasing move nothing', () => {
    const { transactions } = given(funded()).when((story) => {
      story.reserved('r', '9').released('r');
    });
    expect(transactions).toEqual([]);
  });

  it('what lapses leaves by an adjustment of its own', () => {
    const story = new AccountStory('a')
      .opened()
      .granted('10', { expiresAt: '2026-11-20T10:00:10.000Z' })
      .reserved('r', '4');
    const { transactions } = given(story).when(() => story.later(20_000).settled('r', '1'));
    expect(transactions).toMatchObject([
      { part: 0, type: 'deduction', amount: '-1', balance_after: '9' },
      { part: 1, type: 'adjustment', amount: '-3', balance_before: '9', balance_after: '6' },
    ]);
  });

  it('a refund is of the initiator, and what lapses again comes back by a grant', () => {
    const story = new AccountStory('a')
      .opened()
      .granted('10', { expiresAt: '2026-11-20T10:00:10.000Z' })
      .reserved('r', '4', { projectId: 'p1' })
      .settled('r', '4');
    const { transactions } = given(story).when(() => story.later(20_000).refunded('r', '3'));
    expect(transactions).toMatchObject([
      {
        part: 0,
        type: 'refund',
        amount: '3',
        balance_before: '6',
        user_id: 'caller',
        project_id: 'p1',
        usage_id: 'r',
        external_id: 'ticket-3',
        metadata: { refundId: expect.any(String) as string, reasonCode: 'bad-answer' },
      },
      { part: 1, type: 'adjustment', amount: '-3', metadata: { reason: 'lapsed' } },
      { part: 0, type: 'refund', amount: '3', balance_after: '9', user_id: 'owner_a' },
    ]);
  });

  it('what is left of a grant that ends leaves by an adjustment that says why', () => {
    const { transactions } = given(funded().granted('5').granted('7')).when((story) => {
      story.grantExpired('g1').grantVoided('g2', 'chargeback');
      story.reserved('r', '7').grantExpired('g3');
    });
    expect(transactions).toMatchObject([
      {
        type: 'adjustment',
        amount: '-100',
        metadata: { reason: 'grant-expired', grantId: 'g1' },
      },
      {
        type: 'adjustment',
        amount: '-5',
        external_id: 'case-1',
        metadata: { reason: 'grant-voided', grantId: 'g2', reasonCode: 'chargeback' },
      },
    ]);
  });

  it('a downward adjustment names its reason and the debt in it', () => {
    const { transactions } = given(funded()).when((story) => story.adjusted('130', 'chargeback'));
    expect(transactions).toMatchObject([
      {
        type: 'adjustment',
        amount: '-130',
        balance_after: '-30',
        user_id: 'owner_a',
        external_id: 'case-2',
        metadata: { reasonCode: 'chargeback', debtCredits: '30', debtCause: 'adjustment' },
      },
    ]);
  });

  it('a recurring grant is a topup that names its rule and month', () => {
    const { transactions } = given(funded()).when((story) => {
      story.granted('5', {
        kind: 'subscription',
        recurring: { recurringId: 'm', period: '2026-11' },
      });
    });
    expect(transactions).toMatchObject([
      { type: 'topup', metadata: { recurringId: 'm', period: '2026-11' } },
    ]);
  });

  it('a correction is a refund of what was charged too much, or a deduction of what was not', () => {
    const settled = (): AccountStory => funded().reserved('r', '9').settled('r', '5');
    expect(given(settled()).when((story) => story.corrected('r', '3')).transactions).toMatchObject([
      { type: 'refund', amount: '2', balance_after: '97', usage_id: 'r' },
    ]);
    expect(given(settled()).when((story) => story.corrected('r', '6')).transactions).toMatchObject([
      { type: 'deduction', amount: '-1', balance_after: '94' },
    ]);
    expect(given(settled()).when((story) => story.corrected('r', '5')).transactions).toEqual([]);
  });

  it('chain from zero and sum up to the balance, in any story', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        const blank = new AccountStory('acc_random');
        const { transactions, balances } = given(blank).when(() => {
          for (const event of story.events) blank.tellStored(event);
        });
        let balance = '0';
        for (const transaction of transactions) {
          expect(transaction.balance_before).toBe(balance);
          balance = transaction.balance_after;
        }
        const held = balances.get('acc_random');
        if (!held) throw new Error('no balance');
        const sum = sumMoney(transactions.map(({ amount }) => parseMoney(amount)));
        expect(formatMoney(sum)).toBe(formatMoney(held.balance));
        expect(balance).toBe(formatMoney(sum));
      }),
    );
  });
});
