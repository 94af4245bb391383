import { describe, expect, it } from 'vitest';
import {
  given,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
} from './credit-account.fixture.js';
import {
  adjust,
  changeTier,
  charge,
  freeze,
  grant,
  refund,
  setAlerts,
  setTopUpRule,
} from './operator.fixture.js';

describe('a frozen account', () => {
  const frozen = () =>
    given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(reservePlain('r2', '1'))
      .when(freeze('Freeze', 'f1'))
      .then('AccountFrozen');

  it('reserves and charges nothing, and still knows what it has reserved', () => {
    frozen()
      .when(reserveCall('r3'))
      .thenRefused('account-frozen')
      .when(reservePlain('r3', '1'))
      .thenRefused('account-frozen')
      .when(charge('1'))
      .thenRefused('account-frozen')
      .when(reservePlain('r2', '1'))
      .thenNothing();
  });

  it('settles, releases, refunds, grants and adjusts as ever', () => {
    frozen()
      .when(settleCall('r1', { input: 1000 }))
      .then('Settled')
      .when(release('r2'))
      .then('Released')
      .when(refund(undefined, 'refund'))
      .then('Refunded')
      .when(grant('1'))
      .then('CreditsGranted')
      .when(adjust('-1'))
      .then('CreditsAdjusted');
  });

  it('reserves again when it is unfrozen, and an old freeze sent again does not undo that', () => {
    frozen()
      .when(freeze('Unfreeze', 'u1'))
      .then('AccountUnfrozen')
      .when(freeze('Freeze', 'f1'))
      .thenNothing()
      .when(reserveCall('r3'))
      .then('Reserved')
      .when(freeze('Unfreeze', 'f1'))
      .thenRefused('replay-mismatch');
  });

  it('remembers a freeze that changed nothing', () => {
    frozen()
      .when(freeze('Freeze', 'f2'))
      .then('AccountFrozen')
      .when(freeze('Unfreeze', 'u1'))
      .when(freeze('Freeze', 'f2'))
      .thenNothing();
  });
});

describe('what an operator sets', () => {
  it('is told as it was set', () => {
    const frozen = given(opened).when(freeze('Freeze', 'f1'));
    expect(frozen.event('AccountFrozen')).toEqual({ reason: 'fraud' });
    expect(frozen.when(freeze('Unfreeze', 'u1')).event('AccountUnfrozen')).toEqual({
      reason: 'fraud',
    });
    const alerts = given(opened, granted('100')).when(setAlerts(['20', '5', '20.0', '20']));
    expect(alerts.event('BalanceAlertsSet')).toEqual({ thresholdsCredits: ['20', '5'] });
    const rule = given(opened, granted('100')).when(setTopUpRule({ cap: '50' }));
    expect(rule.event('TopUpRuleSet')).toEqual({
      thresholdCredits: '10',
      amountCredits: '50',
      coolDownSeconds: 3600,
      monthlyCapCredits: '50',
      enabled: true,
    });
  });

  it('is known by its id', () => {
    given(opened, granted('100'))
      .when(setAlerts(['20']))
      .then('BalanceAlertsSet')
      .when(setAlerts(['20']))
      .thenNothing()
      .when(setAlerts(['30']))
      .thenRefused('replay-mismatch');
  });
});

describe('a change of tier', () => {
  it('holds for the next reservation; open ones keep their tier', () => {
    const outcome = given(opened, granted('100'))
      .when(reserveCall('r1'))
      .when(changeTier('free'))
      .then('TierChanged');
    expect(outcome.event('TierChanged')).toEqual({ from: 'pro', to: 'free', reason: 'downgrade' });
    const settled = outcome.when(settleCall('r1', { input: 1000 })).event('Settled');
    expect(settled).toMatchObject({ tier: 'pro', chargeCredits: '0.375' });
    expect(outcome.when(reservePlain('r2', '1')).event('Reserved').tier).toBe('free');
  });

  it('is known by its id', () => {
    given(opened)
      .when(changeTier('free'))
      .then('TierChanged')
      .when(changeTier('pro'))
      .when(changeTier('free'))
      .thenNothing()
      .when({ ...changeTier('pro'), commandId: 'tier free' })
      .thenRefused('replay-mismatch');
  });
});
