import { describe, expect, it } from 'vitest';
import {
  given,
  granted,
  opened,
  release,
  reservePlain,
  settlePlain,
} from './credit-account.fixture.js';
import { at, expireGrant, figuresOf, grant, recur, voidGrant } from './operator.fixture.js';

const expiresAt = '2026-03-01T12:05:00.000Z';
const later = at('2026-03-01T12:06:00.000Z');

describe('the expiry of a grant', () => {
  it('takes what is unreserved, once', () => {
    const outcome = given(opened, granted('10', 'g1', { expiresAt }))
      .when(reservePlain('r1', '4'))
      .when(expireGrant('g1'), later)
      .then('GrantExpired');
    expect(outcome.event('GrantExpired')).toEqual({
      grantId: 'g1',
      amountCredits: '6',
      localDate: '2026-03-01',
    });
    outcome.when(expireGrant('g1'), later).thenNothing();
  });

  it('is refused before its time, and for a grant that never was', () => {
    given(opened, granted('10', 'g1', { expiresAt }), granted('1', 'g2'))
      .when(expireGrant('g1'))
      .thenRefused('invalid-request')
      .when(expireGrant('g2'), at('2036-01-01T00:00:00.000Z'))
      .thenRefused('invalid-request')
      .when(expireGrant('g3'))
      .thenRefused('unknown-grant');
  });

  it('is posted once, also where nothing is left, so that the grant is looked at no more', () => {
    const outcome = given(opened, granted('10', 'g1', { expiresAt }))
      .when(reservePlain('r1', '10'))
      .when(expireGrant('g1'), later)
      .then('GrantExpired');
    expect(outcome.event('GrantExpired')).toMatchObject({ amountCredits: '0' });
    expect(outcome.account.grants).toEqual([]);
    outcome.when(expireGrant('g1'), later).thenNothing();
  });

  it('lets what returns later lapse', () => {
    const outcome = given(opened, granted('10', 'g1', { expiresAt }))
      .when(reservePlain('r1', '4'))
      .when(expireGrant('g1'), later)
      .when(settlePlain('r1', '1'), later);
    expect(outcome.event('Settled')).toMatchObject({
      returned: [],
      lapsed: [{ grantId: 'g1', amountCredits: '3' }],
    });
    expect(figuresOf(outcome.account, later)).toMatchObject({ balance: '0', available: '0' });
  });
});

describe('voiding a grant', () => {
  it('takes what is unreserved and lets what returns lapse', () => {
    const outcome = given(opened, granted('10'), granted('5', 'g2'))
      .when(reservePlain('r1', '4'))
      .when(voidGrant('g1'))
      .then('GrantVoided');
    expect(outcome.event('GrantVoided')).toEqual({
      grantId: 'g1',
      amountCredits: '6',
      reasonCode: 'chargeback',
      localDate: '2026-03-01',
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '5', balance: '9' });
    const released = outcome.when(release('r1'));
    expect(released.event('Released')).toMatchObject({
      returned: [],
      lapsed: [{ grantId: 'g1', amountCredits: '4' }],
    });
    expect(figuresOf(released.account)).toMatchObject({ available: '5', balance: '5' });
  });

  it('of which all is reserved voids it at zero, so that what returns lapses', () => {
    const outcome = given(opened, granted('4'))
      .when(reservePlain('r1', '4'))
      .when(voidGrant('g1'))
      .then('GrantVoided');
    expect(outcome.event('GrantVoided').amountCredits).toBe('0');
    expect(outcome.when(release('r1')).event('Released').returned).toEqual([]);
  });

  it('is known by its id, and refused at a grant that has ended', () => {
    given(opened, granted('10'), granted('10', 'g2'))
      .when(voidGrant('g1', 'v1'))
      .then('GrantVoided')
      .when(voidGrant('g1', 'v1'))
      .thenNothing()
      .when(voidGrant('g2', 'v1'))
      .thenRefused('replay-mismatch')
      .when(voidGrant('g1', 'v2'))
      .thenRefused('grant-ended')
      .when(voidGrant('g2', 'v2'))
      .then('GrantVoided')
      .when(voidGrant('g3'))
      .thenRefused('unknown-grant');
  });

  it('does not expire it as well', () => {
    given(opened, granted('10', 'g1', { expiresAt }))
      .when(voidGrant('g1'))
      .when(expireGrant('g1'), later)
      .thenNothing();
  });

  it('that has expired is refused', () => {
    given(opened, granted('10', 'g1', { expiresAt }))
      .when(expireGrant('g1'), later)
      .then('GrantExpired')
      .when(voidGrant('g1'))
      .thenRefused('grant-ended');
  });

  it('cannot take the id of a grant', () => {
    given(opened).when(grant('5')).when(voidGrant('g9', 'g9')).thenRefused('replay-mismatch');
  });
});

describe('a grant', () => {
  it('does not take the id of a month that a rule has to post', () => {
    given(opened)
      .when(recur('100'))
      .when(grant('5', 'monthly_2026-04'))
      .thenRefused('invalid-request')
      .when(grant('5', 'other_2026-04'))
      .then('CreditsGranted');
  });
});
