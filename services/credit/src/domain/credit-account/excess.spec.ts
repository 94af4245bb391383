import { firstChargeDifference } from '@tollkeeper/pricing';
import { describe, expect, it } from 'vitest';
import {
  givenUnder,
  granted,
  opened,
  release,
  reserveCall,
  reservePlain,
  settleCall,
  settlePlain,
} from './credit-account.fixture.js';
import { at, correct, figuresOf } from './operator.fixture.js';

/** 200 output tokens come to 0.675 credits, 0.15 beyond the reservation. */
const beyond = { input: 1000, output: 200 };
const expired = at('2026-03-01T12:12:00.000Z');

describe('usage beyond the reservation', () => {
  const denied = () =>
    givenUnder({ excessPolicy: 'deny-excess' }, opened, granted('100')).when(reserveCall('r1'));

  it('is waived under deny-excess, and the charge is still proven by its lines', () => {
    const outcome = denied().when(settleCall('r1', beyond)).then('Settled');
    const settled = outcome.event('Settled');
    expect(settled).toMatchObject({
      vendorCostUsd: '0.0045',
      chargeCredits: '0.525',
      waivedCredits: '0.15',
      drawn: [{ grantId: 'g1', amountCredits: '0.525' }],
      returned: [],
    });
    expect(settled.debt).toBeUndefined();
    expect(settled.drawnBeyond).toBeUndefined();
    expect(firstChargeDifference(settled)).toBeUndefined();
    expect(figuresOf(outcome.account).available).toBe('99.475');
  });

  it('is waived when it comes late, when a correction finds it, and of a plain amount', () => {
    const late = denied()
      .when(release('r1', 'expired'), expired)
      .when(settleCall('r1', beyond), expired);
    expect(late.event('SettledLate')).toMatchObject({
      chargeCredits: '0.525',
      waivedCredits: '0.15',
    });
    const corrected = denied()
      .when(settleCall('r1', { input: 1000, output: 100 }))
      .when(correct(beyond));
    expect(corrected.event('UsageCorrected')).toMatchObject({
      chargeCredits: '0.525',
      deltaCredits: '0',
      waivedCredits: '0.15',
    });
    const plain = denied().when(reservePlain('p1', '2')).when(settlePlain('p1', '2.5'));
    expect(plain.event('Settled')).toMatchObject({ chargeCredits: '2', waivedCredits: '0.5' });
  });

  it('is not waived where there is none', () => {
    const settled = denied()
      .when(settleCall('r1', { input: 1000, output: 100 }))
      .event('Settled');
    expect(settled.waivedCredits).toBeUndefined();
  });

  it('is charged, then owed under allow, where the debt refuses nothing by itself', () => {
    const outcome = givenUnder({ excessPolicy: 'allow' }, opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', beyond));
    expect(outcome.event('Settled').debt).toEqual({
      amountCredits: '0.15',
      cause: 'over-reservation',
    });
    outcome.when(reserveCall('r2')).thenRefused('insufficient-credits');
    outcome.when(reservePlain('r2', '1')).thenRefused('insufficient-credits');
  });

  it('is owed by default, and the debt refuses the next reservation', () => {
    givenUnder({}, opened, granted('0.525'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', beyond))
      .when(reservePlain('r2', '1'))
      .thenRefused('debt-outstanding');
  });
});
