import type { PriceBookEvent } from '@tollkeeper/events';
import { firstChargeDifference } from '@tollkeeper/pricing';
import { describe, expect, it, test } from 'vitest';
import {
  given,
  givenPrices,
  granted,
  opened,
  reserveCall,
  settleCall,
} from './credit-account.fixture.js';

const token = (meter: string, rateUsd: string) => ({
  meter,
  unit: 'token',
  per: '1000000',
  rateUsd,
});
const claude = { provider: 'anthropic', model: 'claude' };

const published = (priceVersion: string, effectiveFrom: string, output = '10'): PriceBookEvent => ({
  type: 'VendorPricePublished',
  data: {
    priceVersion,
    ...claude,
    effectiveFrom,
    rates: [token('input', '2'), token('output', output)],
    factors: [
      { region: 'us', factor: '1.1' },
      { serviceTier: 'fast', factor: '6' },
    ],
    source: { name: 'spec' },
  },
});

const account = (...recorded: PriceBookEvent[]) =>
  givenPrices(recorded, {}, opened, granted('100000'));
const beginning = published('claude@1', '2020-01-01T00:00:00.000Z');

describe('a region', () => {
  it('is in the bound that is asked for, in the quote and in what is settled', () => {
    const reserved = account(beginning)
      .when(reserveCall('r1', 100, { candidates: [claude], region: 'us', serviceTier: 'fast' }))
      .then('Reserved');
    // (1,000 × cache_write_1h of 4 + 100 × 10) ÷ 1,000,000 × 6.6 × 1.5 ÷ 0.01
    expect(reserved.event('Reserved')).toMatchObject({
      amountCredits: '4.95',
      quote: { bound: { region: 'us', serviceTier: 'fast' } },
    });
    const where = { ...claude, region: 'us', serviceTier: 'fast' };
    const settled = reserved
      .when(settleCall('r1', { input: 500, cache_write_1h: 500, output: 100 }, where))
      .event('Settled');
    expect(settled).toMatchObject({
      vendorCostUsd: '0.0264',
      attempts: [{ region: 'us', serviceTier: 'fast', lines: [{ rateUsd: '13.2' }, {}, {}] }],
      flags: ['ratio-fallback:cache_write_1h'],
    });
    expect(firstChargeDifference(settled)).toBeUndefined();
  });

  it('is in no bound that does not ask for it, and owed where it was used all the same', () => {
    const outcome = account(beginning)
      .when(reserveCall('r1', 100, { candidates: [claude] }))
      .when(settleCall('r1', { input: 1000, output: 100 }, { ...claude, region: 'moon' }));
    expect(outcome.event('Settled')).toMatchObject({
      vendorCostUsd: '0.003',
      flags: ['region-unpriced'],
    });
  });
});

test('a price that changes while a call runs changes nothing of it', () => {
  const change = published('claude@2', '2026-03-01T12:00:00.000Z', '1000');
  const call = (id: string, time: string) =>
    reserveCall(id, 100, { candidates: [claude], requestStartedAt: new Date(time) });
  const outcome = account(beginning, change)
    .when(call('r1', '2026-03-01T11:59:59.999Z'))
    .when(call('r2', '2026-03-01T12:00:00.000Z'));
  const later = new Date('2026-03-01T12:05:00.000Z');
  const costOf = (id: string) =>
    outcome.when(settleCall(id, { input: 0, output: 100 }, claude), later).event('Settled')
      .vendorCostUsd;
  expect([costOf('r1'), costOf('r2')]).toEqual(['0.001', '0.1']);
});

describe('the account’s reporting day', () => {
  it.each([
    ['the last instant of the short day', '2026-03-29T21:59:59.999Z', '2026-03-29'],
    ['the end of the short day', '2026-03-29T22:00:00.000Z', '2026-03-30'],
    ['the hour that is skipped', '2026-03-29T01:00:00.000Z', '2026-03-29'],
    ['the first instant of the long day', '2026-10-24T22:00:00.000Z', '2026-10-25'],
    ['the hour that comes twice, first', '2026-10-25T00:30:00.000Z', '2026-10-25'],
    ['the hour that comes twice, again', '2026-10-25T01:30:00.000Z', '2026-10-25'],
    ['the last instant of the long day', '2026-10-25T22:59:59.999Z', '2026-10-25'],
    ['the end of the long day', '2026-10-25T23:00:00.000Z', '2026-10-26'],
  ])('at %s', (_, time, localDate) => {
    const at = new Date(time);
    const outcome = given(opened, granted('1000'))
      .when(reserveCall('r1'), at)
      .when(settleCall('r1', { input: 10 }), at);
    expect(outcome.event('Settled').localDate).toBe(localDate);
  });
});
