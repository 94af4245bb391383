import { describe, expect, it } from 'vitest';
import { given, granted, opened, reservePlain } from './credit-account.fixture.js';
import { at, figuresOf, grant, post, recur } from './operator.fixture.js';
import { parseMoney } from '@tollkeeper/kernel';

/** The account is in Berlin; the fixture's now is noon of March 1st. */
const aprilFirst = at('2026-03-31T22:00:00.000Z');

describe('a recurring grant', () => {
  it('comes first on its next day, where the account is', () => {
    const outcome = given(opened).when(recur('100')).then('RecurringGrantSet');
    expect(outcome.event('RecurringGrantSet')).toEqual({
      recurringId: 'monthly',
      kind: 'promotion',
      amountCredits: '100',
      priority: 50,
      dayOfMonth: 1,
      nextAt: '2026-03-31T22:00:00.000Z',
    });
  });

  it.each([
    ['2026-03-01T12:00:00.000Z', 15, '2026-03-14T23:00:00.000Z'],
    ['2026-03-14T22:59:59.999Z', 15, '2026-03-14T23:00:00.000Z'],
    ['2026-03-14T23:00:00.000Z', 15, '2026-04-14T22:00:00.000Z'],
    ['2026-12-20T12:00:00.000Z', 1, '2026-12-31T23:00:00.000Z'],
    // 00:30 of the 1st in Berlin, still the old month in UTC.
    ['2026-06-30T22:30:00.000Z', 1, '2026-07-31T22:00:00.000Z'],
  ])('set at %s for day %i comes at %s', (now, dayOfMonth, nextAt) => {
    const outcome = given(opened).when(recur('100', { dayOfMonth }), at(now));
    expect(outcome.event('RecurringGrantSet').nextAt).toBe(nextAt);
  });

  it('posts when it is due, once a month', () => {
    const outcome = given(opened)
      .when(recur('100'))
      .when(post(), at('2026-03-31T21:59:59.999Z'))
      .thenRefused('invalid-request')
      .when(post('p1'), aprilFirst)
      .then('CreditsGranted');
    expect(outcome.event('CreditsGranted')).toEqual({
      grantId: 'monthly_2026-04',
      kind: 'promotion',
      amountCredits: '100',
      priority: 50,
      effectiveAt: '2026-03-31T22:00:00.000Z',
      recurring: {
        recurringId: 'monthly',
        period: '2026-04',
        nextAt: '2026-04-30T22:00:00.000Z',
      },
      localDate: '2026-04-01',
    });
    outcome
      .when(post('p1'), aprilFirst)
      .thenNothing()
      .when(post('p2'), aprilFirst)
      .thenRefused('invalid-request');
  });

  it('posts only the present month after several that were missed', () => {
    const july = at('2026-07-10T00:00:00.000Z');
    const outcome = given(opened).when(recur('100')).when(post(), july).then('CreditsGranted');
    expect(outcome.event('CreditsGranted').recurring).toEqual({
      recurringId: 'monthly',
      period: '2026-07',
      nextAt: '2026-07-31T22:00:00.000Z',
    });
  });

  it('ends with an amount of zero', () => {
    const outcome = given(opened).when(recur('100')).when(recur('0')).then('RecurringGrantSet');
    expect(outcome.event('RecurringGrantSet').nextAt).toBeUndefined();
    expect(outcome.account.recurringGrants.get('monthly')?.nextAtMs).toBeUndefined();
    outcome.when(post(), at('2027-01-01T00:00:00.000Z')).thenRefused('invalid-request');
  });

  it('brings no month twice when its day is moved', () => {
    const outcome = given(opened)
      .when(recur('100'))
      .when(post(), aprilFirst)
      .when(recur('200', { dayOfMonth: 20 }), at('2026-04-10T12:00:00.000Z'));
    expect(outcome.event('RecurringGrantSet').nextAt).toBe('2026-05-19T22:00:00.000Z');
  });

  it('brings no month twice when its day is moved before that month was posted', () => {
    const outcome = given(opened)
      .when(recur('100'))
      .when(recur('200', { dayOfMonth: 20 }), at('2026-04-10T12:00:00.000Z'))
      .then('CreditsGranted', 'RecurringGrantSet');
    expect(outcome.event('CreditsGranted').grantId).toBe('monthly_2026-04');
    expect(outcome.event('RecurringGrantSet').nextAt).toBe('2026-05-19T22:00:00.000Z');
  });

  it('passes over a month that was granted before there was a rule', () => {
    const outcome = given(opened)
      .when(grant('3', 'monthly_2026-05'))
      .when(recur('100'))
      .when(post(), aprilFirst)
      .then('CreditsGranted');
    expect(outcome.event('CreditsGranted').recurring?.nextAt).toBe('2026-05-31T22:00:00.000Z');
  });

  it('posts what is due before it is changed', () => {
    const outcome = given(opened)
      .when(recur('100'))
      .when(recur('200'), at('2026-04-01T09:00:00.000Z'))
      .then('CreditsGranted', 'RecurringGrantSet');
    expect(outcome.event('CreditsGranted')).toMatchObject({
      grantId: 'monthly_2026-04',
      amountCredits: '100',
    });
    expect(outcome.event('RecurringGrantSet').nextAt).toBe('2026-04-30T22:00:00.000Z');
  });

  it('is known by its command’s id, and refuses an id with no room for the month', () => {
    given(opened)
      .when(recur('100'))
      .then('RecurringGrantSet')
      .when(recur('100'))
      .thenNothing()
      .when({ ...recur('100'), commandHash: 'other' })
      .thenRefused('replay-mismatch')
      .when(recur('1', { recurringId: 'r'.repeat(57) }))
      .thenRefused('invalid-request')
      .when(recur('2', { recurringId: 'r'.repeat(56) }))
      .then('RecurringGrantSet')
      .when(post('p', 'none'))
      .thenRefused('unknown-grant');
  });
});

describe('a rollover cap', () => {
  const capped = (cap: string) =>
    given(opened, granted('7'))
      .when(recur('100', { rolloverCapCredits: parseMoney(cap) }))
      .when(post('p4'), aprilFirst)
      .then('CreditsGranted');
  const may = at('2026-05-01T00:00:00.000Z');

  it('takes so much of the oldest earlier months that the cap stays, and nothing of other grants', () => {
    const outcome = capped('60').when(post('p5'), may).then('GrantVoided', 'CreditsGranted');
    expect(outcome.event('GrantVoided')).toEqual({
      grantId: 'monthly_2026-04',
      amountCredits: '40',
      reasonCode: 'rollover-cap',
      localDate: '2026-05-01',
    });
    expect(figuresOf(outcome.account, may).available).toBe('167');
    const june = at('2026-06-01T00:00:00.000Z');
    const next = outcome
      .when(post('p6'), june)
      .then('GrantVoided', 'GrantVoided', 'CreditsGranted');
    expect(figuresOf(next.account, june).available).toBe('167');
  });

  it('is told with its rule, and counts nothing of another rule', () => {
    const outcome = given(opened)
      .when(recur('100', { rolloverCapCredits: parseMoney('60') }))
      .when(recur('80', { recurringId: 'other' }));
    const both = outcome.when(post('o4', 'other'), aprilFirst).when(post('p4'), aprilFirst);
    expect(both.account.recurringGrants.get('monthly')?.rolloverCapCredits?.toString()).toBe('60');
    const first = both.when(post('o5', 'other'), may).then('CreditsGranted');
    const next = first.when(post('p5'), may).then('GrantVoided', 'CreditsGranted');
    expect(next.event('GrantVoided')).toMatchObject({
      grantId: 'monthly_2026-04',
      amountCredits: '40',
    });
  });

  it('that is just kept takes nothing', () => {
    capped('100').when(post('p5'), may).then('CreditsGranted');
  });

  it('is taken off the oldest month first, then off the next', () => {
    const june = at('2026-06-01T00:00:00.000Z');
    const outcome = given(opened)
      .when(recur('100'))
      .when(post('p4'), aprilFirst)
      .when(post('p5'), may)
      .when(recur('100', { rolloverCapCredits: parseMoney('30'), dayOfMonth: 2 }), may)
      .when(post('p6'), at('2026-06-02T00:00:00.000Z'))
      .then('GrantVoided', 'GrantVoided', 'CreditsGranted');
    expect(outcome.events.slice(0, 2).map((event) => event.data)).toMatchObject([
      { grantId: 'monthly_2026-04', amountCredits: '100' },
      { grantId: 'monthly_2026-05', amountCredits: '70' },
    ]);
    expect(figuresOf(outcome.account, june).available).toBe('30');
  });

  it('takes the oldest month first also where a later one is drawn before it', () => {
    const rolloverCapCredits = parseMoney('30');
    const outcome = given(opened)
      .when(recur('100'))
      .when(post('p4'), aprilFirst)
      .when(recur('100', { rolloverCapCredits, priority: 10, dayOfMonth: 2 }), aprilFirst)
      .when(post('p5'), at('2026-05-02T00:00:00.000Z'))
      .then('GrantVoided', 'CreditsGranted')
      .when(post('p6'), at('2026-06-02T00:00:00.000Z'))
      .then('GrantVoided', 'GrantVoided', 'CreditsGranted');
    expect(outcome.events.slice(0, 2).map((event) => event.data)).toMatchObject([
      { grantId: 'monthly_2026-04', amountCredits: '30' },
      { grantId: 'monthly_2026-05', amountCredits: '70' },
    ]);
  });

  it('leaves what is below it alone', () => {
    const outcome = capped('60')
      .when(reservePlain('r1', '50'), aprilFirst)
      .when(post('p5'), may)
      .then('CreditsGranted');
    expect(figuresOf(outcome.account, may).available).toBe('157');
  });

  it('of zero lets nothing roll over', () => {
    const outcome = capped('0').when(post('p5'), may);
    expect(figuresOf(outcome.account, may).available).toBe('107');
  });
});
