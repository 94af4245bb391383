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
import { adjust, changeTier, charge, freeze, grant, refund } from './operator.fixture.js';

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
