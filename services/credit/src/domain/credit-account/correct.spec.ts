import { describe, expect, it } from 'vitest';
import type { CreditCommand } from './commands.js';
import {
  given,
  givenUnder,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { adjust, at, correct, figuresOf, grant, refund } from './operator.fixture.js';

/** 0.525 credits, as reserved; 0.15 less; 0.15 more. */
const usage = { input: 1000, output: 100 };
const less = { input: 1000 };
const more = { input: 1000, output: 200 };

const settled = (amount = '100') =>
  given(opened, granted(amount)).when(reserveCall('r1')).when(settleCall('r1', usage));

describe('a correction', () => {
  const charge = {
    reservationId: 'r1',
    tier: 'pro',
    policyId: 'policy@1',
    usdPerCredit: '0.01',
    creditDecimals: 4,
    rounding: 'ceil',
    attempts: [expect.objectContaining({ provenance: 'exact' })],
    roundingCredits: '0',
    previousChargeCredits: '0.525',
    localDate: '2026-03-01',
  };

  it('down tells the new charge, the difference and where it went', () => {
    const outcome = settled().when(correct(less)).then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toEqual({
      ...charge,
      vendorCostUsd: '0.0025',
      chargeCredits: '0.375',
      deltaCredits: '-0.15',
      drawn: [],
      returned: [{ grantId: 'g1', amountCredits: '0.15' }],
    });
  });

  it('up tells what was drawn, and what is owed where that was not enough', () => {
    const outcome = settled('0.6').when(correct(more)).then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toEqual({
      ...charge,
      vendorCostUsd: '0.0045',
      chargeCredits: '0.675',
      deltaCredits: '0.15',
      drawn: [{ grantId: 'g1', amountCredits: '0.075' }],
      returned: [],
      debt: { amountCredits: '0.075', cause: 'correction' },
    });
    expect(figuresOf(outcome.account)).toMatchObject({ available: '0', debt: '0.075' });
    expect(settled().when(correct(more)).event('UsageCorrected')).not.toHaveProperty('debt');
  });

  it('to the same figures moves nothing', () => {
    const outcome = settled().when(correct(usage)).then('UsageCorrected');
    const event = outcome.event('UsageCorrected');
    expect(event).toMatchObject({ deltaCredits: '0', drawn: [], returned: [] });
    expect(Object.keys(event)).not.toContain('debt');
    expect(figuresOf(outcome.account).available).toBe('99.475');
  });

  it('gives back to a grant that has ended what then lapses', () => {
    const expiresAt = '2026-03-01T12:05:00.000Z';
    const outcome = given(opened, granted('0.1', 'kept'), granted('9', 'gone', { expiresAt }))
      .when(reserveCall('r1'))
      .when(settleCall('r1', usage))
      .when(correct({ input: 10 }), at(expiresAt))
      .then('UsageCorrected');
    expect(outcome.event('UsageCorrected')).toMatchObject({
      deltaCredits: '-0.5212',
      returned: [],
      lapsed: [{ grantId: 'gone', amountCredits: '0.5212' }],
    });
    expect(figuresOf(outcome.account, at(expiresAt)).available).toBe('0.1');
  });

  it('moves the difference to the last one, each time', () => {
    const outcome = settled()
      .when(correct(more, 'c1'))
      .when(correct(less, 'c2'))
      .when(correct(usage, 'c3'));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      previousChargeCredits: '0.375',
      deltaCredits: '0.15',
    });
    expect(figuresOf(outcome.account).available).toBe('99.475');
    outcome.when(refund(undefined, 'f1'));
    expect(figuresOf(outcome.account).available).toBe('100');
  });

  it('of usage that came late says so in its answer', () => {
    const expired = at('2026-03-01T12:12:00.000Z');
    const outcome = given(opened, granted('9'))
      .when(reserveCall('r1'))
      .when(release('r1', 'expired'), expired)
      .when(settleCall('r1', usage), expired)
      .when(correct(less), expired)
      .then('UsageCorrected');
    expect(outcome.account.reservations.get('r1')?.charged?.answer).toMatchObject({
      chargeCredits: '0.375',
      late: true,
    });
    const inTime = settled().when(correct(less)).account.reservations.get('r1');
    expect(inTime?.charged?.answer.late).toBe(false);
  });

  it('below what was waived gives back only what was charged', () => {
    const outcome = givenUnder({ excessPolicy: 'deny-excess' }, opened, granted('9'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', more))
      .when(correct(less));
    expect(outcome.event('UsageCorrected')).toMatchObject({
      previousChargeCredits: '0.525',
      deltaCredits: '-0.15',
    });
    expect(outcome.event('UsageCorrected').waivedCredits).toBeUndefined();
  });

  it.each<[string, CreditCommand]>([
    ['was never made', correct(less, 'c1', 'r9')],
    ['is open', correct(less, 'c1', 'open')],
    ['was released', correct(less, 'c1', 'gone')],
  ])('of a reservation that %s is refused by its id', (_what, command) => {
    const id = command.type === 'CorrectUsage' ? command.reservationId : '';
    given(opened, granted('9'))
      .when(reserveCall('open'))
      .when(reserveCall('gone'))
      .when(release('gone'))
      .when(command)
      .thenRefused('unknown-reservation', { message: `${id} has not been settled` });
  });

  it('sent again with other figures is refused by its own id', () => {
    settled()
      .when(correct(less, 'c1'))
      .when(correct(more, 'c1'))
      .thenRefused('replay-mismatch', { message: 'c1 was sent with other fields' });
  });

  it('of a plain amount, which no vendor can correct, is refused', () => {
    given(opened, granted('9'))
      .when(reservePlain('r1', '2'))
      .when(settlePlain('r1', '2'))
      .when(correct(less))
      .thenRefused('invalid-request', {
        message: 'a reserved plain amount is settled by amountCredits',
      });
  });
});

describe('what a charge has drawn', () => {
  /** Drawn 0.3 from each of a and b; then b, c and a give back in turn. */
  const drawn = () =>
    given(opened, granted('0.3', 'a'), granted('5', 'b'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', usage));
  const parts = (step: ReturnType<typeof drawn>) =>
    step.account.reservations.get('r1')?.charged?.drawn;

  it('is given back from its end, and a part of it stays drawn', () => {
    const outcome = drawn().when(refund('0.1'));
    expect(outcome.event('Refunded').returned).toEqual([{ grantId: 'b', amountCredits: '0.1' }]);
    expect(parts(outcome)).toEqual([
      { grantId: 'a', amountCredits: '0.3' },
      { grantId: 'b', amountCredits: '0.125' },
    ]);
    const rest = outcome.when(refund('0.225', 'f2'));
    expect(rest.event('Refunded').returned).toEqual([
      { grantId: 'b', amountCredits: '0.125' },
      { grantId: 'a', amountCredits: '0.1' },
    ]);
    expect(parts(rest)).toEqual([{ grantId: 'a', amountCredits: '0.2' }]);
  });

  it('grows by what a correction draws, which is the first to go back', () => {
    const outcome = drawn().when(correct(more)).when(refund('0.2'));
    expect(outcome.event('Refunded').returned).toEqual([
      { grantId: 'b', amountCredits: '0.15' },
      { grantId: 'b', amountCredits: '0.05' },
    ]);
    expect(parts(outcome)).toEqual([
      { grantId: 'a', amountCredits: '0.3' },
      { grantId: 'b', amountCredits: '0.175' },
    ]);
  });

  it('is taken off by what lapses too', () => {
    const expiresAt = at('2026-03-01T12:05:00.000Z');
    const outcome = given(opened)
      .when(grant('0.4', 'gone', { expiresAt }))
      .when(grant('5', 'kept'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', usage))
      .when(refund('0.2'), expiresAt)
      .then('Refunded', 'CreditsGranted');
    expect(outcome.event('Refunded')).toMatchObject({
      returned: [{ grantId: 'kept', amountCredits: '0.125' }],
      lapsed: [{ grantId: 'gone', amountCredits: '0.075' }],
    });
    expect(parts(outcome)).toEqual([{ grantId: 'gone', amountCredits: '0.325' }]);
  });
});

describe('what grants have repaid', () => {
  /** 0.15 of the charge is owed, which later grants repay. */
  const owing = () =>
    given(opened, granted('0.525', 'g1')).when(reserveCall('r1')).when(settleCall('r1', more));
  const repaid = (step: ReturnType<typeof owing>) =>
    step.account.repaid.map(({ grantId, amountCredits }) => [grantId, amountCredits.toString()]);

  it('is kept by grant, one entry for each run of the same', () => {
    const outcome = owing().when(grant('0.05', 'a')).when(grant('1', 'b'));
    expect(repaid(outcome)).toEqual([
      ['a', '0.05'],
      ['b', '0.1'],
    ]);
    const again = outcome
      .when(reserveCall('r2'))
      .when(settleCall('r2', { input: 1000, output: 1000 }))
      .when(grant('0.2', 'c'))
      .when(grant('0.1', 'd'));
    expect(repaid(again)).toEqual([
      ['a', '0.05'],
      ['b', '0.1'],
      ['c', '0.2'],
      ['d', '0.1'],
    ]);
  });

  it('by the same grant again adds to its entry', () => {
    const outcome = given(opened, granted('10', 'a'))
      .when(reservePlain('r1', '1'))
      .when(reservePlain('r2', '8'))
      .when(adjust('-4', { bookDebt: true }))
      .when(release('r1'))
      .then('Released', 'DebtRepaid')
      .when(settlePlain('r2', '7.5'))
      .then('Settled', 'DebtRepaid')
      .when(grant('0.25', 'b'))
      .then('CreditsGranted', 'DebtRepaid');
    expect(repaid(outcome)).toEqual([
      ['a', '1.5'],
      ['b', '0.25'],
    ]);
    expect(figuresOf(outcome.account)).toMatchObject({ debt: '1.25', available: '0' });
  });

  it('is given back after what the charge itself drew, oldest repayment last', () => {
    const outcome = owing()
      .when(grant('0.05', 'a'))
      .when(grant('1', 'b'))
      .when(refund('0.6'))
      .then('Refunded');
    expect(outcome.event('Refunded').returned).toEqual([
      { grantId: 'g1', amountCredits: '0.525' },
      { grantId: 'b', amountCredits: '0.075' },
    ]);
    expect(repaid(outcome)).toEqual([
      ['a', '0.05'],
      ['b', '0.025'],
    ]);
    expect(figuresOf(outcome.account).available).toBe('1.5');
    const rest = outcome.when(refund(undefined, 'f2')).then('Refunded');
    expect(rest.event('Refunded').returned).toEqual([
      { grantId: 'b', amountCredits: '0.025' },
      { grantId: 'a', amountCredits: '0.05' },
    ]);
    expect(repaid(rest)).toEqual([]);
  });
});
