import fc from 'fast-check';
import { formatMoney, sumMoney } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { eventsOf, given } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';
import {
  changeGrants,
  grantedRows,
  grantPots,
  movedGrantRows,
  type GrantChanges,
} from './grants.projection.js';

const rowsOf = (story: AccountStory): object[] => {
  const changes: GrantChanges = new Map();
  for (const event of eventsOf(story)) changeGrants(changes, event, new Map());
  return grantedRows(changes);
};

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');
const pots = (row: Record<string, string>): Record<string, string> => ({
  available: '0',
  reserved: '0',
  drawn: '0',
  lapsed: '0',
  voided: '0',
  ...row,
});

describe('grants', () => {
  it('keep the terms that they were given with', () => {
    const story = new AccountStory('a').opened().granted('5', {
      kind: 'subscription',
      expiresAt: '2026-12-01T00:00:00.000Z',
      costBasisUsd: '0.04',
      externalReference: 'inv-1',
      topUpId: 't1',
      recurring: { recurringId: 'm', period: '2026-11' },
    });
    expect(rowsOf(story)).toMatchObject([
      {
        account_id: 'a',
        grant_id: 'g1',
        revision: 1,
        kind: 'subscription',
        priority: 100,
        effective_at: '2026-11-20T10:00:01.000Z',
        expires_at: '2026-12-01T00:00:00.000Z',
        amount: '5',
        cost_basis_usd: '0.04',
        external_reference: 'inv-1',
        top_up_id: 't1',
        recurring_id: 'm',
        recurring_period: '2026-11',
        reason_code: null,
        state: 'active',
        ended_at: null,
      },
    ]);
  });

  it.each<[string, AccountStory, Record<string, string>]>([
    ['reserved', funded().reserved('r', '40'), pots({ available: '60', reserved: '40' })],
    [
      'drawn by a charge',
      funded().reserved('r', '40').settled('r', '50'),
      pots({ available: '50', drawn: '50' }),
    ],
    [
      'given back by a release',
      funded().reserved('r', '40').released('r'),
      pots({ available: '100' }),
    ],
    [
      'drawn by late usage',
      funded().reserved('r', '40').released('r').settledLate('r', '3'),
      pots({ available: '97', drawn: '3' }),
    ],
    [
      'given back by a correction',
      funded().reserved('r', '40').settled('r', '50').corrected('r', '20'),
      pots({ available: '80', drawn: '20' }),
    ],
    [
      'given back by a refund',
      funded().reserved('r', '40').settled('r', '50').refunded('r', '20'),
      pots({ available: '70', drawn: '30' }),
    ],
    ['drawn by an adjustment', funded().adjusted('30'), pots({ available: '70', drawn: '30' })],
    [
      'drawn by a debt that is repaid',
      funded().reserved('r', '40').adjusted('90').released('r').repaid(),
      pots({ available: '10', drawn: '90' }),
    ],
  ])('know what is %s', (_title, story, expected) => {
    expect(rowsOf(story)).toMatchObject([{ ...expected, state: 'active' }]);
  });

  it('end by expiry, and what comes back later lapses', () => {
    const story = funded().reserved('r', '40').settled('r', '10').reserved('s', '20');
    expect(rowsOf(story.grantExpired('g1').refunded('r', '4').released('s'))).toMatchObject([
      {
        ...pots({ drawn: '6', lapsed: '94' }),
        state: 'expired',
        ended_at: '2026-11-20T10:00:05.000Z',
      },
      { grant_id: 'g2', kind: 'refund', available: '4' },
    ]);
  });

  it('end by a void', () => {
    expect(rowsOf(funded().reserved('r', '40').grantVoided('g1'))).toMatchObject([
      { ...pots({ reserved: '40', voided: '60' }), state: 'voided' },
    ]);
  });

  it('go on while a void leaves them some of what is unreserved', () => {
    const story = funded().reserved('r', '40').grantVoided('g1', 'rollover-cap', '25');
    expect(rowsOf(story)).toMatchObject([
      {
        ...pots({ available: '35', reserved: '40', voided: '25' }),
        state: 'active',
        ended_at: null,
      },
    ]);
    const history = given(funded());
    const ends = (tell: (story: AccountStory) => void): unknown =>
      movedGrantRows(history.when(tell).grants);
    expect(ends((told) => told.grantVoided('g1', 'rollover-cap', '25'))).toMatchObject([
      { voided: '25', state: null },
    ]);
  });

  it('of earlier batches change by differences, and not at all where nothing moved', () => {
    const history = given(funded());
    const moved = history.when((story) => story.reserved('r', '40'));
    expect(grantedRows(moved.grants)).toEqual([]);
    expect(movedGrantRows(moved.grants)).toEqual([
      {
        account_id: 'a',
        grant_id: 'g1',
        ...pots({ available: '-40', reserved: '40' }),
        state: null,
        ended_at: null,
      },
    ]);
    const still = history.when((story) => story.reserved('s', '5').released('s'));
    expect(movedGrantRows(still.grants)).toEqual([]);
  });

  it('hold what their account holds, every credit in one pot that is not negative, in any story', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        const blank = new AccountStory('acc_random');
        const { grants, balances } = given(blank).when(() => {
          for (const event of story.events) blank.tellStored(event);
        });
        const held = balances.get('acc_random');
        if (!held) throw new Error('no balance');
        const changes = [...grants.values()];
        for (const { terms, pots: amounts } of changes) {
          for (const pot of grantPots)
            expect(amounts[pot].isNegative() && !amounts[pot].isZero()).toBe(false);
          expect(formatMoney(sumMoney(Object.values(amounts)))).toBe(terms?.amount);
        }
        for (const pot of ['available', 'reserved', 'lapsed', 'voided'] as const) {
          const sum = sumMoney(changes.map(({ pots: amounts }) => amounts[pot]));
          expect(formatMoney(sum)).toBe(formatMoney(held[pot]));
        }
        const drawn = sumMoney(changes.map(({ pots: amounts }) => amounts.drawn));
        const owed = held.charged.plus(held.adjusted).minus(held.debt);
        expect(formatMoney(drawn)).toBe(formatMoney(owed));
      }),
    );
  });
});
