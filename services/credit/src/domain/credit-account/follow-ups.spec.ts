import { describe, expect, it } from 'vitest';
import { given, granted, opened, reservePlain, settlePlain } from './credit-account.fixture.js';
import { setLimit } from './limits.fixture.js';
import { adjust, at, charge, freeze, grant, setAlerts, setTopUpRule } from './operator.fixture.js';

describe('a balance alert', () => {
  const watched = () =>
    given(opened, granted('100'))
      .when(setAlerts(['20', '50']))
      .then('BalanceAlertsSet');

  it('is raised once when the balance falls below its threshold', () => {
    const outcome = watched()
      .when(charge('50'))
      .then('Reserved', 'Settled')
      .when(charge('0.0001', 'x2'))
      .then('Reserved', 'Settled', 'LowBalanceReached')
      .when(charge('1', 'x3'))
      .then('Reserved', 'Settled');
    expect(outcome.account.watch?.balanceCredits.toString()).toBe('48.9999');
  });

  it('names the threshold, the balance and what is available, one for each that was passed', () => {
    const outcome = watched()
      .when(reservePlain('r1', '15'))
      .when(charge('81'))
      .then('Reserved', 'Settled', 'LowBalanceReached', 'LowBalanceReached');
    const figures = { balanceCredits: '19', availableCredits: '4', localDate: '2026-03-01' };
    expect(outcome.events.slice(2).map((event) => event.data)).toEqual([
      { thresholdCredits: '50', ...figures },
      { thresholdCredits: '20', ...figures },
    ]);
  });

  it('is raised by what a call costs, not by what it may cost', () => {
    watched()
      .when(reservePlain('r1', '60'))
      .then('Reserved')
      .when(settlePlain('r1', '49'))
      .then('Settled')
      .when(reservePlain('r2', '51'))
      .then('Reserved')
      .when(settlePlain('r2', '1.5'))
      .then('Settled', 'LowBalanceReached');
  });

  it('is armed again when the balance is back at the threshold, and not before', () => {
    watched()
      .when(charge('51'))
      .then('Reserved', 'Settled', 'LowBalanceReached')
      .when(grant('0.9999'))
      .when(charge('0.5', 'x2'))
      .then('Reserved', 'Settled')
      .when(grant('0.5001', 'g10'))
      .when(charge('0.0001', 'x3'))
      .then('Reserved', 'Settled', 'LowBalanceReached');
  });

  it('is raised at once for an account that is low already, and not again when it is set again', () => {
    given(opened, granted('10'))
      .when(setAlerts(['20']))
      .then('BalanceAlertsSet', 'LowBalanceReached')
      .when(setAlerts(['20', '5'], 'al2'))
      .then('BalanceAlertsSet')
      .when(charge('6'))
      .then('Reserved', 'Settled', 'LowBalanceReached');
  });

  it('that was set again before it was raised is raised as ever', () => {
    watched()
      .when(setAlerts(['50', '30'], 'al2'))
      .then('BalanceAlertsSet')
      .when(charge('55'))
      .then('Reserved', 'Settled', 'LowBalanceReached');
  });

  it('at a higher threshold says nothing of a lower one', () => {
    const outcome = watched().when(charge('60')).then('Reserved', 'Settled', 'LowBalanceReached');
    expect(outcome.event('LowBalanceReached').thresholdCredits).toBe('50');
    const lower = outcome.when(charge('30', 'x2')).then('Reserved', 'Settled', 'LowBalanceReached');
    expect(lower.event('LowBalanceReached').thresholdCredits).toBe('20');
  });

  it('hides no warning of a limit', () => {
    const outcome = watched()
      .when(setLimit({ scope: { type: 'account' }, mode: 'soft', amount: '5' }))
      .when(charge('6'))
      .then('Reserved', 'Settled', 'LimitWarned');
    expect(outcome.event('LimitWarned').used).toBe('6');
  });

  it('is gone with its threshold', () => {
    watched().when(setAlerts([], 'al2')).when(charge('99')).then('Reserved', 'Settled');
  });

  it('sees what is owed', () => {
    given(opened, granted('100'))
      .when(setAlerts(['1']))
      .when(adjust('-101', { bookDebt: true }))
      .then('CreditsAdjusted', 'LowBalanceReached')
      .when(grant('1.5'))
      .then('CreditsGranted', 'DebtRepaid')
      .when(grant('0.5', 'g10'))
      .when(charge('0.0001'))
      .then('Reserved', 'Settled', 'LowBalanceReached');
  });
});

describe('a top-up rule', () => {
  const ruled = (more: Parameters<typeof setTopUpRule>[0] = {}) =>
    given(opened, granted('15')).when(setTopUpRule(more));
  const minutesLater = (minutes: number) =>
    new Date(Date.parse('2026-03-01T12:00:00Z') + minutes * 60_000);

  it('requests a top-up below its threshold, which a grant that names it fulfils once', () => {
    const outcome = ruled().when(charge('6')).then('Reserved', 'Settled', 'TopUpRequested');
    expect(outcome.event('TopUpRequested')).toEqual({
      topUpId: 'topup_1',
      amountCredits: '50',
      availableCredits: '9',
      localDate: '2026-03-01',
    });
    const paid = outcome.when(grant('50', 'pay1', { topUpId: 'topup_1' })).then('CreditsGranted');
    expect(paid.event('CreditsGranted').topUpId).toBe('topup_1');
    paid
      .when(grant('50', 'pay1', { topUpId: 'topup_1' }))
      .thenNothing()
      .when(grant('50', 'pay2', { topUpId: 'topup_1' }))
      .thenRefused('invalid-request')
      .when(grant('50', 'pay2', { topUpId: 'topup_2' }))
      .thenRefused('invalid-request');
  });

  it('requests nothing at its threshold, and something below', () => {
    ruled()
      .when(charge('5'))
      .then('Reserved', 'Settled')
      .when(charge('0.0001', 'x2'))
      .then('Reserved', 'Settled', 'TopUpRequested');
  });

  it('gives an unpaid request a minute where its cool-down is shorter, and a paid one the cool-down', () => {
    const asked = () =>
      ruled({ coolDownSeconds: 30, threshold: '100', cap: '1000' }).then(
        'TopUpRuleSet',
        'TopUpRequested',
      );
    asked()
      .when(charge('1'), minutesLater(59.999 / 60))
      .then('Reserved', 'Settled')
      .when(charge('1', 'x2'), minutesLater(1))
      .then('Reserved', 'Settled', 'TopUpRequested');
    asked()
      .when(grant('10', 'pay1', { topUpId: 'topup_1' }), minutesLater(29.999 / 60))
      .then('CreditsGranted')
      .when(charge('1'), minutesLater(0.5))
      .then('Reserved', 'Settled', 'TopUpRequested');
  });

  it('waits for its cool-down, paid or not', () => {
    ruled()
      .when(charge('6'))
      .then('Reserved', 'Settled', 'TopUpRequested')
      .when(charge('1', 'x2'), minutesLater(59))
      .then('Reserved', 'Settled')
      .when(charge('1', 'x3'), minutesLater(60))
      .then('Reserved', 'Settled', 'TopUpRequested');
  });

  it('without a cool-down gives an unpaid request a minute, and asks again at once for a paid one', () => {
    ruled({ coolDownSeconds: 0, threshold: '100', cap: '1000' })
      .then('TopUpRuleSet', 'TopUpRequested')
      .when(charge('1'), minutesLater(0.5))
      .then('Reserved', 'Settled')
      .when(grant('50', 'pay1', { topUpId: 'topup_1' }), minutesLater(0.6))
      .then('CreditsGranted', 'TopUpRequested')
      .when(charge('1', 'x2'), minutesLater(2))
      .then('Reserved', 'Settled', 'TopUpRequested');
  });

  it('stops at its monthly cap and begins anew with the account’s month', () => {
    ruled({ threshold: '100' })
      .then('TopUpRuleSet', 'TopUpRequested')
      .when(charge('1', 'x1'), at('2026-03-10T00:00:00.000Z'))
      .then('Reserved', 'Settled', 'TopUpRequested')
      .when(charge('1', 'x2'), at('2026-03-31T21:59:00.000Z'))
      .then('Reserved', 'Settled')
      .when(charge('1', 'x3'), at('2026-03-31T22:00:00.000Z'))
      .then('Reserved', 'Settled', 'TopUpRequested')
      .when(charge('1', 'x4'), at('2026-04-10T00:00:00.000Z'))
      .then('Reserved', 'Settled', 'TopUpRequested')
      .when(charge('1', 'x5'), at('2026-04-20T00:00:00.000Z'))
      .then('Reserved', 'Settled');
  });

  it('asks for nothing while it is off or the account is frozen', () => {
    ruled({ enabled: false }).when(charge('6')).then('Reserved', 'Settled');
    ruled()
      .when(reservePlain('r1', '1'))
      .when(freeze('Freeze', 'f1'))
      .when(adjust('-10'))
      .then('CreditsAdjusted')
      .when(freeze('Unfreeze', 'u1'))
      .then('AccountUnfrozen', 'TopUpRequested');
  });

  it('that is set again forgets neither its cool-down nor what this month has had', () => {
    ruled({ threshold: '100' })
      .then('TopUpRuleSet', 'TopUpRequested')
      .when(setTopUpRule({ id: 'tu2', threshold: '90' }))
      .then('TopUpRuleSet')
      .when(
        setTopUpRule({ id: 'tu3', threshold: '90', coolDownSeconds: 0, cap: '50' }),
        minutesLater(5),
      )
      .then('TopUpRuleSet');
  });

  it('with a cap below one top-up is refused, and one that is known is not set twice', () => {
    given(opened)
      .when(setTopUpRule({ cap: '49.9' }))
      .thenRefused('invalid-request')
      .when(setTopUpRule({ enabled: false }))
      .then('TopUpRuleSet')
      .when(setTopUpRule({ enabled: false }))
      .thenNothing()
      .when(setTopUpRule({ enabled: true }))
      .thenRefused('replay-mismatch');
  });
});
