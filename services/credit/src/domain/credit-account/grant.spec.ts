import { parseMoney, zero } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  given,
  granted,
  opened,
  release,
  reservePlain,
  settlePlain,
} from './credit-account.fixture.js';
import {
  at,
  expireGrant,
  figuresOf,
  grant,
  recur,
  setTopUpRule,
  voidGrant,
} from './operator.fixture.js';

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

  it('comes at its very moment', () => {
    given(opened, granted('10', 'g1', { expiresAt }))
      .when(expireGrant('g1'), new Date(Date.parse(expiresAt) - 1))
      .thenRefused('invalid-request')
      .when(expireGrant('g1'), at(expiresAt))
      .then('GrantExpired');
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

  it('keeps the operator’s reference', () => {
    const command = { ...voidGrant('g1'), reference: 'T-7' } as CreditCommand;
    const account = given(opened, granted('10'));
    expect(account.when(command).event('GrantVoided').reference).toBe('T-7');
    const without = given(opened, granted('10')).when(voidGrant('g1')).event('GrantVoided');
    expect(without).not.toHaveProperty('reference');
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
  it('tells all that was said of it, and nothing that was not', () => {
    const asked = given(opened)
      .when(setTopUpRule({ threshold: '100' }))
      .then('TopUpRuleSet', 'TopUpRequested');
    const command = grant('50', 'g9', {
      kind: 'subscription',
      priority: 7,
      effectiveAt: at('2026-04-01T00:00:00.000Z'),
      expiresAt: at('2026-04-01T00:00:00.001Z'),
      costBasisUsd: parseMoney('0.40'),
      externalReference: 'inv-1',
      topUpId: 'topup_1',
    });
    expect(asked.when(command).event('CreditsGranted')).toStrictEqual({
      grantId: 'g9',
      kind: 'subscription',
      amountCredits: '50',
      priority: 7,
      effectiveAt: '2026-04-01T00:00:00.000Z',
      expiresAt: '2026-04-01T00:00:00.001Z',
      costBasisUsd: '0.4',
      externalReference: 'inv-1',
      topUpId: 'topup_1',
      localDate: '2026-03-01',
    });
    expect(given(opened).when(grant('5')).event('CreditsGranted')).toStrictEqual({
      grantId: 'g9',
      kind: 'purchase',
      amountCredits: '5',
      priority: 100,
      effectiveAt: '2026-03-01T12:00:00.000Z',
      localDate: '2026-03-01',
    });
  });

  it('that cost nothing is of known cost', () => {
    const outcome = given(opened).when(grant('5', 'g9', { costBasisUsd: parseMoney('0') }));
    expect(outcome.event('CreditsGranted').costBasisUsd).toBe('0');
    expect(outcome.account.grantsById.get('g9')?.costBasisUsd).toEqual(zero);
    const unknown = given(opened).when(grant('5')).account.grantsById.get('g9');
    expect(unknown?.costBasisUsd).toBeUndefined();
  });

  it('does not take the id of a month that a rule has to post', () => {
    given(opened)
      .when(recur('100'))
      .when(grant('5', 'monthly_2026-04'))
      .thenRefused('invalid-request')
      .when(grant('5', 'other_2026-04'))
      .then('CreditsGranted');
  });
});
