import type { PriceBookEvent } from '@tollkeeper/events';
import { firstChargeDifference } from '@tollkeeper/pricing';
import { describe, expect, it } from 'vitest';
import {
  givenPrices,
  granted,
  opened,
  reserveCall,
  reservePlain,
  settleCall,
} from './credit-account.fixture.js';

const from = '2020-01-01T00:00:00.000Z';
const mini = { provider: 'openai', model: 'gpt-4o-mini' };
const gpt4o = { provider: 'openai', model: 'gpt-4o' };

const multiplied = (multiplier: string): readonly PriceBookEvent[] => [
  {
    type: 'MultiplierProposed',
    data: {
      ruleId: 'cheap@1',
      scope: { model: 'gpt-4o' },
      multiplier,
      effectiveFrom: from,
      reason: 'spec',
    },
  },
  { type: 'MultiplierApproved', data: { ruleId: 'cheap@1' } },
];

const guard = (value: string, effectiveFrom = from): PriceBookEvent => ({
  type: 'SettingChanged',
  data: { name: 'margin_guard', value, effectiveFrom },
});

const account = (...recorded: PriceBookEvent[]) =>
  givenPrices(recorded, {}, opened, granted('100000'));

describe('the margin guard', () => {
  it.each([
    ['below one', '0.999999', 'below-cost'],
    ['of zero', '0', 'below-cost'],
    ['of one', '1', undefined],
    ['above one', '1.000001', undefined],
  ])('at a multiplier %s', (_, multiplier, reason) => {
    const outcome = account(...multiplied(multiplier)).when(reserveCall('r1'));
    if (reason) outcome.thenRefused('below-cost');
    else outcome.then('Reserved');
  });

  it('refuses for good, without a word of rates', () => {
    const { verdict } = account(...multiplied('0.8'))
      .when(reserveCall('r1'))
      .thenRefused('below-cost');
    expect(verdict).toMatchObject({
      refusal: { retryable: false, details: { model: 'openai/gpt-4o' } },
    });
    expect(JSON.stringify(verdict)).not.toMatch(/\d\.\d/);
  });

  it('looks at every candidate of the fallback chain', () => {
    account(...multiplied('0.8'))
      .when(reserveCall('r1', 100, { candidates: [mini, gpt4o] }))
      .thenRefused('below-cost')
      .when(reserveCall('r2', 100, { candidates: [mini] }))
      .then('Reserved');
  });

  it('comes before the balance', () => {
    givenPrices(multiplied('0.8'), {}, opened).when(reserveCall('r1')).thenRefused('below-cost');
  });

  it('minds no plain amount', () => {
    account(...multiplied('0.8'))
      .when(reservePlain('r1', '1'))
      .then('Reserved');
  });

  it('flags instead where it is set to, at the settle too', () => {
    const outcome = account(...multiplied('0.8'), guard('flag'))
      .when(reserveCall('r1'))
      .then('Reserved')
      .when(settleCall('r1', { input: 1000, output: 100 }));
    const settled = outcome.event('Settled');
    expect(settled).toMatchObject({
      vendorCostUsd: '0.0035',
      chargeCredits: '0.28',
      flags: ['below-cost'],
    });
    expect(firstChargeDifference(settled)).toBeUndefined();
  });

  it('flags nothing that rounding up brought above the cost', () => {
    const settled = account(...multiplied('0.99'), guard('flag'))
      .when(reserveCall('r1'))
      .when(settleCall('r1', { input: 1 }))
      .event('Settled');
    expect(settled).toMatchObject({ vendorCostUsd: '0.0000025', chargeCredits: '0.0003' });
    expect(settled).not.toHaveProperty('flags');
  });

  it('is what was set when the request began', () => {
    account(...multiplied('0.8'), guard('flag', '2026-03-01T12:00:00.000Z'))
      .when(reserveCall('r1', 100, { requestStartedAt: new Date('2026-03-01T11:59:59.999Z') }))
      .thenRefused('below-cost')
      .when(reserveCall('r2', 100, { requestStartedAt: new Date('2026-03-01T12:00:00.000Z') }))
      .then('Reserved');
  });
});
