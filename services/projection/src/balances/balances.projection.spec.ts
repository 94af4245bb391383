import fc from 'fast-check';
import { formatMoney } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { eventsOf } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';
import { balanceAfter, type Balance } from './balances.projection.js';

const fold = (story: AccountStory): Balance => {
  const balance = eventsOf(story).reduce<Balance | undefined>(balanceAfter, undefined);
  if (!balance) throw new Error('no events');
  return balance;
};

const figures = (story: AccountStory): Record<string, string> => {
  const balance = fold(story);
  const { available, reserved, debt, granted, charged, lapsed, voided, adjusted } = balance;
  const all = {
    balance: balance.balance,
    available,
    reserved,
    debt,
    granted,
    charged,
    lapsed,
    voided,
    adjusted,
  };
  return Object.fromEntries(
    Object.entries(all)
      .filter(([, amount]) => !amount.isZero())
      .map(([figure, amount]) => [figure, formatMoney(amount)]),
  );
};

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');

describe('a balance', () => {
  it.each<[string, AccountStory, Record<string, string>]>([
    ['of a new account is nothing', new AccountStory('a').opened(), {}],
    ['grows by a grant', funded(), { balance: '100', available: '100', granted: '100' }],
    [
      'keeps what is reserved',
      funded().reserved('r', '40'),
      { balance: '100', available: '60', reserved: '40', granted: '100' },
    ],
    [
      'falls by the charge and gets the rest of the reservation back',
      funded().reserved('r', '40').settled('r', '12.5'),
      { balance: '87.5', available: '87.5', granted: '100', charged: '12.5' },
    ],
    [
      'pays beyond the reservation from what is available',
      funded().reserved('r', '40').settled('r', '55'),
      { balance: '45', available: '45', granted: '100', charged: '55' },
    ],
    [
      'falls below zero by what nothing covers',
      funded().reserved('r', '40').settled('r', '130'),
      { balance: '-30', debt: '30', granted: '100', charged: '130' },
    ],
    [
      'is not moved by repaying a debt',
      funded().reserved('r', '40').settled('r', '130').granted('50'),
      { balance: '20', available: '20', granted: '150', charged: '130' },
    ],
    [
      'is whole again after a release',
      funded().reserved('r', '40').released('r'),
      { balance: '100', available: '100', granted: '100' },
    ],
    [
      'loses what lapses while it is reserved',
      new AccountStory('a')
        .opened()
        .granted('10', { expiresAt: '2026-11-20T10:00:10.000Z' })
        .reserved('r', '4')
        .later(20_000)
        .settled('r', '1'),
      { balance: '6', available: '6', charged: '1', granted: '10', lapsed: '3' },
    ],
    [
      'is charged late after a release',
      funded().reserved('r', '40').released('r', 'expired').settledLate('r', '5'),
      { balance: '95', available: '95', granted: '100', charged: '5' },
    ],
    [
      'follows a correction up',
      funded().reserved('r', '40').settled('r', '5').corrected('r', '8'),
      { balance: '92', available: '92', granted: '100', charged: '8' },
    ],
    [
      'follows a correction down',
      funded().reserved('r', '40').settled('r', '5').corrected('r', '3'),
      { balance: '97', available: '97', granted: '100', charged: '3' },
    ],
    [
      'owes less after a correction down',
      funded().reserved('r', '40').settled('r', '130').corrected('r', '110'),
      { balance: '-10', debt: '10', granted: '100', charged: '110' },
    ],
    [
      'gets back what is refunded',
      funded().reserved('r', '40').settled('r', '12').refunded('r', '5'),
      { balance: '93', available: '93', granted: '100', charged: '7' },
    ],
    [
      'owes less by a refund',
      funded().reserved('r', '40').settled('r', '130').refunded('r', '50'),
      { balance: '20', available: '20', granted: '100', charged: '80' },
    ],
    [
      'gets a new grant for what a refund cannot give back to its grant',
      new AccountStory('a')
        .opened()
        .granted('10', { expiresAt: '2026-11-20T10:00:10.000Z' })
        .reserved('r', '4')
        .settled('r', '4')
        .later(20_000)
        .grantExpired('g1')
        .refunded('r', '3'),
      { balance: '3', available: '3', granted: '13', charged: '1', lapsed: '9' },
    ],
    [
      'loses what was left of a grant that expired',
      funded().granted('5').reserved('r', '40').grantExpired('g1'),
      { balance: '45', available: '5', reserved: '40', granted: '105', lapsed: '60' },
    ],
    [
      'loses what was left of a grant that was voided, and lapses what comes back to it',
      funded().reserved('r', '40').grantVoided('g1').released('r'),
      { granted: '100', voided: '60', lapsed: '40' },
    ],
    [
      'falls by a downward adjustment, below zero as a debt',
      funded().adjusted('30').adjusted('80'),
      { balance: '-10', debt: '10', granted: '100', adjusted: '110' },
    ],
    [
      'repays a debt from what a release gives back',
      funded().reserved('r', '40').adjusted('80').released('r').repaid(),
      { balance: '20', available: '20', granted: '100', adjusted: '80' },
    ],
    [
      'is not moved by limits, alerts, rules and requests',
      funded()
        .limitSet('l', '5')
        .limitWarned('l', '6', '5')
        .limitRemoved('l')
        .alertsSet('5')
        .lowBalanceReached('5')
        .recurringGrantSet('m', '5')
        .topUpRuleSet('5', '10')
        .topUpRequested('t', '10'),
      { balance: '100', available: '100', granted: '100' },
    ],
  ])('%s', (_title, story, expected) => {
    expect(figures(story)).toEqual(expected);
  });

  it('knows the tier in force and whether the account is frozen', () => {
    const story = funded().tierChanged('pro', 'enterprise').frozen();
    expect(fold(story)).toMatchObject({ tier: 'enterprise', frozen: true });
    expect(fold(story.granted('1'))).toMatchObject({ tier: 'enterprise', frozen: true });
    expect(fold(story.unfrozen())).toMatchObject({ tier: 'enterprise', frozen: false });
  });

  it('is granted less charged, lapsed, voided and adjusted, after every event of any story', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        let balance: Balance | undefined;
        for (const event of eventsOf(story)) {
          balance = balanceAfter(balance, event);
          const { granted, charged, lapsed, voided, adjusted } = balance;
          const lost = lapsed.plus(voided).plus(adjusted);
          expect(balance.balance.eq(granted.minus(charged).minus(lost))).toBe(true);
        }
      }),
    );
  });

  it('follows its revisions without a gap', () => {
    const [opened, granted, reserved] = eventsOf(funded().reserved('r', '1'));
    if (!opened || !granted || !reserved) throw new Error('no events');
    const balance = balanceAfter(undefined, opened);
    expect(() => balanceAfter(balance, reserved)).toThrow('revision 2 follows 0');
    expect(() => balanceAfter(balanceAfter(balance, granted), granted)).toThrow(
      'revision 1 follows 1',
    );
    expect(() => balanceAfter(undefined, granted)).toThrow('begins with CreditsGranted');
    expect(() => balanceAfter(balance, opened)).toThrow('opened again');
  });

  it('refuses an event that charges other credits than it moves', () => {
    const [opened, granted, reserved, settled] = eventsOf(
      funded().reserved('r', '9').settled('r', '4'),
    );
    if (!opened || !granted || !reserved || settled?.type !== 'Settled')
      throw new Error('no events');
    const balance = [opened, granted, reserved].reduce<Balance | undefined>(
      balanceAfter,
      undefined,
    );
    const forged = { ...settled, data: { ...settled.data, chargeCredits: '3' } };
    expect(() => balanceAfter(balance, forged)).toThrow(
      'charges or loses other credits than it moves',
    );
  });

  it('refuses an event that makes a figure longer than an amount may be', () => {
    const nines = '9'.repeat(30);
    expect(() => fold(new AccountStory('a').opened().granted(nines).granted('1'))).toThrow(
      'CreditsGranted makes balance longer than an amount may be',
    );
    expect(fold(new AccountStory('a').opened().granted(nines))).toBeDefined();
  });
});
