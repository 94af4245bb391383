import fc from 'fast-check';
import { formatMoney, parseMoney, sumMoney } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { sumMargins } from '../margin-by-tier/margin-by-tier.projection.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { given } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';
import { sumDays } from './daily-summaries.projection.js';

const funded = (): AccountStory => new AccountStory('a').opened().granted('100');
const dayMs = 86_400_000;

describe('daily summaries and margins', () => {
  it('count calls by how sure their usage is, and reservations that came to nothing', () => {
    const { days, margins } = given(funded()).when((story) => {
      story.reserved('r1', '2').settled('r1', { input: 100, output: 10 });
      story.reserved('r2', '2').settled('r2', { output: 5, provenance: 'vendor-reported' });
      story.reserved('r3', '2').settled('r3', '1.5');
      story.reserved('r4', '2').released('r4', 'failed');
      story.reserved('r5', '2').released('r5', 'expired');
      story.settledLate('r5', { output: 1, provenance: 'estimated' });
    });
    expect(sumDays(days)).toMatchObject([
      {
        account_id: 'a',
        local_date: '2026-11-20',
        tier: 'pro',
        calls: 4,
        input_tokens: 100,
        output_tokens: 16,
        exact: 1,
        vendor_reported: 1,
        estimated: 1,
        late: 1,
        failed: 1,
        expired: 1,
      },
    ]);
    expect(sumMargins(margins)).toEqual([
      {
        tier: 'pro',
        local_date: '2026-11-20',
        calls: 4,
        revenue_usd: formatMoney(
          parseMoney('0.015').plus('0.000525').plus('0.000075').plus('0.000015'),
        ),
        vendor_cost_usd: '0.00041',
        refunded_usd: '0',
      },
    ]);
  });

  it('post a correction on its own day, so that a closed day does not change', () => {
    const settled = funded().reserved('r', '9').settled('r', { output: 1000 });
    const { days, margins } = given(settled).when((story) => {
      story.later(dayMs).corrected('r', { output: 400 });
    });
    expect(sumDays(days)).toMatchObject([
      {
        local_date: '2026-11-21',
        calls: 0,
        corrections: 1,
        output_tokens: -600,
        charge_credits: '-0.9',
      },
    ]);
    expect(sumMargins(margins)).toEqual([
      {
        tier: 'pro',
        local_date: '2026-11-21',
        calls: 0,
        revenue_usd: '-0.009',
        vendor_cost_usd: '-0.006',
        refunded_usd: '0',
      },
    ]);
  });

  it('lower the revenue by a refund on its own day, under the tier of its call', () => {
    const settled = funded().reserved('r', '9').settled('r', { output: 1000 });
    const { days, margins } = given(settled.tierChanged('pro', 'free')).when((story) => {
      story.later(dayMs).refunded('r', '0.5');
    });
    expect(sumDays(days)).toMatchObject([
      {
        local_date: '2026-11-21',
        tier: 'pro',
        calls: 0,
        corrections: 0,
        refunds: 1,
        charge_credits: '-0.5',
        charge_usd: '-0.005',
        vendor_cost_usd: '0',
        refunded_credits: '0.5',
        refunded_usd: '0.005',
        adjusted_credits: '0',
      },
    ]);
    expect(sumMargins(margins)).toEqual([
      {
        tier: 'pro',
        local_date: '2026-11-21',
        calls: 0,
        revenue_usd: '-0.005',
        vendor_cost_usd: '0',
        refunded_usd: '0.005',
      },
    ]);
  });

  it('give back by a correction only what its refunds have left', () => {
    const refunded = funded().reserved('r', '9').settled('r', '5').refunded('r', '3');
    const { days, margins } = given(refunded).when((story) => story.corrected('r', '2'));
    expect(sumDays(days)).toMatchObject([{ charge_credits: '-2', charge_usd: '-0.02' }]);
    expect(sumMargins(margins)).toMatchObject([{ revenue_usd: '-0.02' }]);
  });

  it('keep adjustments apart from revenue, and know neither purchases nor voids', () => {
    const { days, margins } = given(funded()).when((story) => {
      story.granted('3', { kind: 'adjustment', reasonCode: 'goodwill' }).adjusted('5');
      story.granted('7').grantVoided('g3');
    });
    expect(sumDays(days)).toMatchObject([
      { tier: 'pro', calls: 0, charge_credits: '0', adjusted_credits: '-2' },
    ]);
    expect(margins).toEqual([]);
  });

  it('come to what the account was charged, in any story', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        const blank = new AccountStory('acc_random');
        const { days, margins, balances } = given(blank).when(() => {
          for (const event of story.events) blank.tellStored(event);
        });
        const charged = balances.get('acc_random')?.charged;
        if (!charged) throw new Error('no balance');
        const credits = sumMoney(sumDays(days).map((day) => parseMoney(day.charge_credits)));
        expect(formatMoney(credits)).toBe(formatMoney(charged));
        const revenue = sumMoney(sumMargins(margins).map((row) => parseMoney(row.revenue_usd)));
        expect(formatMoney(revenue)).toBe(formatMoney(charged.times('0.01')));
      }),
    );
  });
});
