import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import { given, granted, opened, reservePlain, settlePlain } from './credit-account.fixture.js';
import { adjust, at, figuresOf, grant, recur } from './operator.fixture.js';

describe('an adjustment', () => {
  it('up is a grant of that kind, with its reason', () => {
    const outcome = given(opened).when(adjust('12.5')).then('CreditsGranted');
    expect(outcome.event('CreditsGranted')).toEqual({
      grantId: 'a1',
      kind: 'adjustment',
      amountCredits: '12.5',
      priority: 100,
      effectiveAt: '2026-03-01T12:00:00.000Z',
      externalReference: 'T-1',
      reasonCode: 'billing-error',
      localDate: '2026-03-01',
    });
  });

  it('down draws in draw order from what is unreserved', () => {
    const outcome = given(opened, granted('10', 'late'), granted('3', 'first', { priority: 1 }))
      .when(reservePlain('r1', '1'))
      .when(adjust('-5'))
      .then('CreditsAdjusted');
    expect(outcome.event('CreditsAdjusted')).toEqual({
      adjustmentId: 'a1',
      amountCredits: '5',
      reasonCode: 'billing-error',
      reference: 'T-1',
      drawn: [
        { grantId: 'first', amountCredits: '2' },
        { grantId: 'late', amountCredits: '3' },
      ],
      localDate: '2026-03-01',
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '7', reserved: '1' });
  });

  it('down by more than is available is refused, unless the rest may be owed', () => {
    const outcome = given(opened, granted('10'))
      .when(reservePlain('r1', '4'))
      .when(adjust('-6.0001'))
      .thenRefused('insufficient-credits')
      .when(adjust('-8', { bookDebt: true }))
      .then('CreditsAdjusted');
    expect(outcome.event('CreditsAdjusted')).toMatchObject({
      amountCredits: '8',
      drawn: [{ grantId: 'g1', amountCredits: '6' }],
      debt: { amountCredits: '2', cause: 'adjustment' },
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '0', debt: '2', balance: '2' });
  });

  it('tells no reference where there is none', () => {
    for (const amount of ['3', '-3']) {
      const command = { ...adjust(amount), reference: undefined } as CreditCommand;
      const [event] = given(opened, granted('10')).when(command).events;
      expect(Object.keys(event?.data ?? {})).not.toContain('reference');
      expect(Object.keys(event?.data ?? {})).not.toContain('externalReference');
    }
  });

  it('down to exactly nothing is accepted', () => {
    given(opened, granted('10')).when(adjust('-10')).then('CreditsAdjusted');
  });

  it('is known by its id, up and down', () => {
    for (const amount of ['3', '-3']) {
      given(opened, granted('10'))
        .when(adjust(amount))
        .then(amount === '3' ? 'CreditsGranted' : 'CreditsAdjusted')
        .when(adjust(amount))
        .thenNothing()
        .when(adjust('-2'))
        .thenRefused('replay-mismatch')
        .when(grant('2', 'a1'))
        .thenRefused('replay-mismatch');
    }
  });

  it('of nothing, or under the id of a month to come, is refused', () => {
    given(opened)
      .when(adjust('0'))
      .thenRefused('invalid-request')
      .when(recur('5'))
      .when(adjust('1', { id: 'monthly_2026-09' }))
      .thenRefused('invalid-request');
  });
});

describe('what is owed', () => {
  const owing = () => given(opened, granted('1')).when(adjust('-6', { bookDebt: true }));

  it('is repaid by an upward adjustment', () => {
    const outcome = owing()
      .when(adjust('2', { id: 'a2' }))
      .then('CreditsGranted', 'DebtRepaid');
    expect(outcome.event('DebtRepaid')).toEqual({ grantId: 'a2', amountCredits: '2' });
    expect(figuresOf(outcome.account)).toMatchObject({ debt: '3', available: '0' });
  });

  it('is repaid by credits that return from a reservation', () => {
    const outcome = given(opened, granted('10'))
      .when(reservePlain('r1', '8'))
      .when(adjust('-5', { bookDebt: true }))
      .when(settlePlain('r1', '1'))
      .then('Settled', 'DebtRepaid');
    expect(outcome.event('DebtRepaid')).toEqual({ grantId: 'g1', amountCredits: '3' });
    expect(figuresOf(outcome.account)).toEqual({
      available: '4',
      balance: '4',
      reserved: '0',
      debt: '0',
    });
  });

  it('is repaid in draw order, one event for each grant', () => {
    const outcome = given(opened, granted('10', 'b'), granted('2', 'a', { priority: 1 }))
      .when(reservePlain('r1', '12'))
      .when(adjust('-5', { bookDebt: true }))
      .when(settlePlain('r1', '0'))
      .then('Settled', 'DebtRepaid', 'DebtRepaid');
    expect(outcome.events.slice(1).map((event) => event.data)).toEqual([
      { grantId: 'a', amountCredits: '2' },
      { grantId: 'b', amountCredits: '3' },
    ]);
  });

  it('is not repaid by a grant that is not in force yet, and by it once it is', () => {
    const may = at('2026-05-01T00:00:00.000Z');
    const outcome = owing()
      .when(grant('20', 'later', { effectiveAt: may }))
      .then('CreditsGranted')
      .when(reservePlain('r1', '1'))
      .thenRefused('debt-outstanding')
      .when(reservePlain('r1', '15.0001'), may)
      .thenRefused('insufficient-credits')
      .when(reservePlain('r1', '15'), may)
      .then('Reserved', 'DebtRepaid');
    expect(figuresOf(outcome.account, may)).toMatchObject({ debt: '0', available: '0' });
  });
});
