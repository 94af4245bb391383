import { personalAccountId } from '@tollkeeper/events';
import { Money, zero } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import { givenAt, reservePlain } from './credit-account.fixture.js';
import { charge, figuresOf } from './operator.fixture.js';

const open = (
  more: Partial<Extract<CreditCommand, { type: 'OpenAccount' }>> = {},
): CreditCommand => ({
  type: 'OpenAccount',
  commandId: 'o1',
  commandHash: 'o1',
  kind: undefined,
  ownerUserId: 'usr_1',
  tier: 'pro',
  timeZone: 'UTC',
  ...more,
});
const own = personalAccountId('usr_1');

describe('a personal account', () => {
  it('opens with its initial grant in one append, once', () => {
    const outcome = givenAt(own).when(open()).then('AccountOpened', 'CreditsGranted');
    expect(outcome.event('AccountOpened')).toMatchObject({ accountId: own, kind: 'personal' });
    expect(outcome.event('CreditsGranted')).toEqual({
      grantId: 'initial',
      kind: 'initial',
      amountCredits: '1000',
      priority: 100,
      effectiveAt: '2026-03-01T12:00:00.000Z',
      costBasisUsd: '0',
      localDate: '2026-03-01',
    });
    outcome
      .when(open())
      .thenNothing()
      .when(open({ commandId: 'o2', commandHash: 'o2' }))
      .thenRefused('account-exists');
  });

  it('opens with none where the operator gives none', () => {
    givenAt(own, { initialGrantUsd: zero }).when(open()).then('AccountOpened');
  });

  it('opens with none that is worth less than the smallest step of a credit', () => {
    givenAt(own, { initialGrantUsd: new Money('0.0000009') })
      .when(open())
      .then('AccountOpened');
  });

  it('does not open while nobody knows what its grant is worth, asked to or by spending', () => {
    const message = 'no credit policy is in force';
    const unvalued = givenAt(own, { openOnReserve: true }, new PriceBook());
    unvalued.when(open()).thenRefused('unknown-price', { message });
    unvalued.when(charge('1', 'x1', 'usr_1')).thenRefused('unknown-price', { message });
  });

  it('opens with whole steps of a credit', () => {
    const outcome = givenAt(own, { initialGrantUsd: new Money('0.0000019') }).when(open());
    expect(outcome.event('CreditsGranted').amountCredits).toBe('0.0001');
  });

  it('is its user’s alone', () => {
    givenAt(own)
      .when(open({ ownerUserId: 'usr_2' }))
      .thenRefused('invalid-request');
    givenAt(own)
      .when(open({ kind: 'organization' }))
      .thenRefused('invalid-request');
  });

  it('at another id has no initial grant, nor has an organization’s', () => {
    givenAt('acc_1')
      .when(open({ kind: 'personal' }))
      .then('AccountOpened');
    const outcome = givenAt('acc_1').when(open()).then('AccountOpened');
    expect(outcome.event('AccountOpened').kind).toBe('organization');
  });
});

describe('spending on a personal account that nobody opened', () => {
  const rules = { openOnReserve: true };

  it('opens it first, in the same append', () => {
    const outcome = givenAt(own, rules)
      .when(charge('400', 'x1', 'usr_1'))
      .then('AccountOpened', 'CreditsGranted', 'Reserved', 'Settled');
    expect(outcome.event('AccountOpened')).toEqual({
      accountId: own,
      kind: 'personal',
      ownerUserId: 'usr_1',
      tier: 'free',
      timeZone: 'UTC',
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '600' });
    outcome.when(charge('400', 'x1', 'usr_1')).thenNothing();
  });

  it('opens nothing where the spending is refused', () => {
    const outcome = givenAt(own, rules)
      .when(charge('1001', 'x1', 'usr_1'))
      .thenRefused('insufficient-credits');
    expect(outcome.account.opened).toBe(false);
  });

  it('is refused for another’s account, without a user, and by default', () => {
    givenAt(own, rules)
      .when(charge('1', 'x1', 'usr_2'))
      .thenRefused('unknown-account');
    givenAt(own, rules).when(reservePlain('r1', '1')).thenRefused('unknown-account');
    givenAt('acc_1', rules)
      .when(charge('1', 'x1', 'usr_1'))
      .thenRefused('unknown-account');
    givenAt(own)
      .when(charge('1', 'x1', 'usr_1'))
      .thenRefused('unknown-account');
  });
});
