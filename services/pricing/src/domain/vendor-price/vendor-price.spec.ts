import { describe, expect, test } from 'vitest';
import type { VendorPricePublished } from '@tollkeeper/events';
import { afterNoon, contextOf, noon, recorded, storyOf } from '../price-book/decision.fixture.js';
import { decideAlert } from './decide-alert.js';
import { planImport, type ImportContext, type ImportOutcome } from './import-prices.js';
import type { OfferedPrice } from './offer.js';
import { publishPrice, withdrawPrice } from './publish.js';
import { evolvePrices, noPrices, versionInForce, type ModelPrices } from './state.js';

const offer = (input: string, more: Partial<OfferedPrice> = {}): OfferedPrice => ({
  provider: 'openai',
  model: 'gpt-4o',
  currency: 'USD',
  rates: [
    { meter: 'input', unit: 'token', per: '1000000', rate: input },
    { meter: 'output', unit: 'token', per: '1000000', rate: '10' },
  ],
  source: { name: 'spec' },
  ...more,
});

const version = (n: number, more: Partial<VendorPricePublished> = {}): VendorPricePublished => ({
  priceVersion: `openai:gpt-4o@${String(n)}`,
  provider: 'openai',
  model: 'gpt-4o',
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  rates: [
    { meter: 'input', unit: 'token', per: '1000000', rateUsd: '2.5' },
    { meter: 'output', unit: 'token', per: '1000000', rateUsd: '10' },
  ],
  source: { name: 'spec' },
  ...more,
});

type Story = ReturnType<typeof storyOf<ModelPrices>>;

const given = (...versions: readonly VendorPricePublished[]): Story =>
  storyOf(
    evolvePrices,
    noPrices,
    ...versions.map((data) => recorded({ type: 'VendorPricePublished', data })),
  );

const publish =
  (price: OfferedPrice, context: ImportContext = contextOf('alice')) =>
  (state: ModelPrices) =>
    publishPrice(state, price, 'why', context);

describe('a published price', () => {
  test('is the model’s next version, with who listed it and why', () => {
    expect(given(version(1)).when('alice', publish(offer('3'))).events).toEqual([
      {
        type: 'VendorPricePublished',
        data: {
          ...version(2),
          effectiveFrom: afterNoon(60),
          rates: [
            { meter: 'input', unit: 'token', per: '1000000', rateUsd: '3' },
            { meter: 'output', unit: 'token', per: '1000000', rateUsd: '10' },
          ],
          reason: 'why',
        },
      },
    ]);
  });

  test.each([
    ['the lead time from now', undefined, afterNoon(60)],
    ['a correction of the past', '2026-05-01T00:00:00Z', '2026-05-01T00:00:00.000Z'],
    ['sooner than replicas follow', afterNoon(1), afterNoon(60)],
    ['later', afterNoon(90), afterNoon(90)],
  ])('begins at %s', (_, effectiveFrom, expected) => {
    const { events } = given().when('alice', publish(offer('3', { effectiveFrom })));
    expect(events).toMatchObject([{ data: { effectiveFrom: expected } }]);
  });

  test.each<[string, string, Partial<OfferedPrice>]>([
    ['implausible-rate', 'dearer than any vendor', offer('2500')],
    ['implausible-rate', 'the noise of a binary fraction', offer('2.5000000000001')],
    [
      'implausible-rate',
      'zeros, free or unknown',
      {
        rates: [
          { meter: 'input', unit: 'token', per: '1000000', rate: '0' },
          { meter: 'output', unit: 'token', per: '1000000', rate: '0' },
        ],
      },
    ],
    ['exchange-rate-missing', 'a currency that nobody has a rate of', { currency: 'EUR' }],
    [
      'invalid-request',
      'dollars that are exchanged',
      {
        exchangeRate: { usdPerUnit: '1', asOf: '2026-11-19' },
      },
    ],
    ['invalid-request', 'an end before its beginning', { effectiveTo: afterNoon(60) }],
    ['invalid-request', 'a provider that would share a stream', { provider: 'a:b' }],
    [
      'invalid-request',
      'rates each of which holds under conditions of its own',
      {
        rates: Array.from({ length: 60 }, (_each, place) => ({
          meter: `meter_${String(place)}`,
          unit: 'token',
          per: '1000000',
          rate: '1',
          region: `region-${String(place)}`,
          serviceTier: `tier-${String(place)}`,
          inputTokensOver: place,
          window: {
            from: `10:${String(place).padStart(2, '0')}`,
            to: `11:${String(place).padStart(2, '0')}`,
          },
        })),
      },
    ],
  ])('is refused as %s for %s', (refusal, _, more) => {
    expect(given().when('alice', publish(offer('3', more))).refusal).toBe(refusal);
  });

  test('of another currency is converted exactly, and says how', () => {
    const given_ = offer('0.1', {
      currency: 'CNY',
      exchangeRate: { usdPerUnit: '0.13987654321', asOf: '2026-11-19' },
      rates: [{ meter: 'input', unit: 'token', per: '1000000', rate: '12.3456' }],
    });
    expect(given().when('alice', publish(given_)).events).toMatchObject([
      {
        data: {
          exchange: { currency: 'CNY', usdPerUnit: '0.13987654321', asOf: '2026-11-19' },
          rates: [{ rateUsd: '1.726859851853376', listedRate: '12.3456' }],
        },
      },
    ]);
  });

  test('of another currency takes the rate that an admin has set', () => {
    const exchangeRate = (currency: string) =>
      currency === 'EUR' ? { usdPerUnit: '1.1', asOf: '2026-11-01' } : undefined;
    const context = contextOf('alice', {}, { exchangeRate });
    expect(
      given().when('alice', publish(offer('3', { currency: 'EUR' }), context)).events,
    ).toMatchObject([
      { data: { exchange: { asOf: '2026-11-01' }, rates: [{ rateUsd: '3.3' }, {}] } },
    ]);
  });
});

describe('a withdrawn price', () => {
  const withdraw = (priceVersion: string) => (state: ModelPrices) =>
    withdrawPrice(state, { priceVersion, reason: 'gone' }, contextOf('alice'));

  test('is unknown from the lead time on', () => {
    const { and, events } = given(version(1)).when('alice', withdraw('openai:gpt-4o@1'));
    expect(events).toMatchObject([
      { type: 'VendorPriceWithdrawn', data: { effectiveFrom: afterNoon(60), reason: 'gone' } },
    ]);
    expect(versionInForce(and.state, new Date(afterNoon(59)))).toBeDefined();
    expect(versionInForce(and.state, new Date(afterNoon(60)))).toBeUndefined();
    expect(and.when('alice', withdraw('openai:gpt-4o@1')).refusal).toBe('not-in-force');
    expect(and.when('alice', withdraw('openai:gpt-4o@2')).refusal).toBe('unknown-price');
  });
});

describe('an import', () => {
  const plan = (
    story: Story,
    offers: readonly OfferedPrice[],
    settings: Readonly<Record<string, string>> = {},
  ): { outcomes: readonly ImportOutcome[]; and: Story; types: readonly string[] } => {
    const imported = offers.map((each, n) => ({ offer: each, alertId: `alert-${String(n)}` }));
    const planned = planImport(story.state, imported, 'import', contextOf('alice', settings));
    const { and } = story.when('alice', () => planned.events);
    return { outcomes: planned.outcomes, and, types: planned.events.map(({ type }) => type) };
  };

  test('publishes a model that is new, with all its dated versions', () => {
    const dated = [
      offer('3', { effectiveFrom: '2026-06-01T00:00:00Z' }),
      offer('2', { effectiveFrom: '2025-06-01T00:00:00Z', effectiveTo: '2026-06-01T00:00:00Z' }),
    ];
    const { outcomes, and } = plan(given(), dated);
    expect(outcomes).toEqual([
      { outcome: 'new', priceVersion: 'openai:gpt-4o@2' },
      { outcome: 'new', priceVersion: 'openai:gpt-4o@1' },
    ]);
    expect(versionInForce(and.state, noon)?.price.priceVersion).toBe('openai:gpt-4o@2');
  });

  test('takes a new model whole or not at all', () => {
    const { outcomes, types } = plan(given(), [
      offer('2', { effectiveFrom: '2025-06-01T00:00:00Z' }),
      offer('2500', { effectiveFrom: '2026-06-01T00:00:00Z' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['refused', 'quarantined']);
    expect(types).toEqual([]);
  });

  test('leaves what is the same alone, also written otherwise', () => {
    const same = offer('2.50', { effectiveFrom: '2026-03-01T00:00:00Z' });
    expect(plan(given(version(1)), [same])).toMatchObject({
      outcomes: [{ outcome: 'unchanged' }],
      types: [],
    });
  });

  test('raises one alert for a changed price, however often it is imported', () => {
    const first = plan(given(version(1)), [offer('3')]);
    expect(first.outcomes).toMatchObject([
      { outcome: 'changed', alertId: 'alert-0', severity: 'info', applied: false },
    ]);
    expect(first.types).toEqual(['PriceAlertRaised']);
    const second = plan(first.and, [offer('3')]);
    expect(second.outcomes).toMatchObject([{ outcome: 'changed', alertId: 'alert-0' }]);
    expect(second.types).toEqual([]);
    expect(plan(first.and, [offer('3.1')]).types).toEqual(['PriceAlertRaised']);
  });

  const act =
    (decision: 'acknowledge' | 'apply' | 'ignore', effectiveFrom?: string) =>
    (state: ModelPrices) =>
      decideAlert(
        state,
        { alertId: 'alert-0', decision, reason: 'so', effectiveFrom },
        contextOf('bob'),
      );

  test('of an ignored price raises no alert again', () => {
    const ignored = plan(given(version(1)), [offer('3')]).and.when('bob', act('ignore')).and;
    const again = plan(ignored, [offer('3')]);
    expect(again).toMatchObject({ outcomes: [{ outcome: 'ignored' }], types: [] });
    const other = plan(ignored, [offer('3', { source: { name: 'another' } })]);
    expect(other.types).toEqual(['PriceAlertRaised']);
  });

  test('of a price that was applied a moment ago finds it unchanged', () => {
    const applied = plan(given(version(1)), [offer('3')]).and.when('bob', act('apply')).and;
    expect(plan(applied, [offer('3')]).outcomes).toEqual([{ outcome: 'unchanged' }]);
  });

  test('publishes a change within the thresholds, in one append with its alert', () => {
    const settings = { auto_apply_change_max: '0.2' };
    const { types, outcomes, and } = plan(given(version(1)), [offer('3')], settings);
    expect(types).toEqual(['PriceAlertRaised', 'PriceAlertApplied', 'VendorPricePublished']);
    expect(outcomes).toMatchObject([{ applied: true, priceVersion: 'openai:gpt-4o@2' }]);
    expect(and.state.alerts).toMatchObject([{ state: 'applied', automatic: true }]);
    expect(plan(given(version(1)), [offer('3.01')], settings).types).toEqual(['PriceAlertRaised']);
  });

  test('does not bring a withdrawn price back', () => {
    const withdrawn = given(version(1)).when('alice', (state) =>
      withdrawPrice(state, { priceVersion: 'openai:gpt-4o@1', reason: 'gone' }, contextOf('alice')),
    ).and;
    expect(plan(withdrawn, [offer('3')])).toMatchObject({
      outcomes: [{ outcome: 'refused' }],
      types: [],
    });
  });

  test('does not rewrite the past of a known model', () => {
    const dated = [
      offer('1', { effectiveFrom: '2026-02-01T00:00:00Z' }),
      offer('2.5', { effectiveFrom: '2026-06-01T00:00:00Z' }),
    ];
    const { outcomes, types } = plan(given(version(1)), dated);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['ignored', 'unchanged']);
    expect(types).toEqual([]);
  });

  describe('an alert', () => {
    const raised = plan(given(version(1)), [offer('3')]).and;

    test('that is applied publishes its price from the lead time on', () => {
      expect(raised.when('bob', act('apply')).events).toMatchObject([
        { type: 'PriceAlertApplied', data: { priceVersion: 'openai:gpt-4o@2', reason: 'so' } },
        {
          type: 'VendorPricePublished',
          data: { priceVersion: 'openai:gpt-4o@2', effectiveFrom: afterNoon(60), reason: 'so' },
        },
      ]);
    });

    test('of a price that another one has replaced since is not applied', () => {
      const published = raised.when('alice', (state) =>
        publishPrice(state, offer('4'), 'the vendor says so', contextOf('alice')),
      ).and;
      expect(published.when('bob', act('apply')).refusal).toBe('not-in-force');
      expect(published.when('bob', act('ignore')).refusal).toBeUndefined();
    });

    test('that is applied to the past corrects it', () => {
      const { events } = raised.when('bob', act('apply', '2026-10-01T00:00:00Z'));
      expect(events[1]).toMatchObject({ data: { effectiveFrom: '2026-10-01T00:00:00.000Z' } });
    });

    test.each([
      ['acknowledge', 'acknowledge', 'not-pending'],
      ['acknowledge', 'apply', undefined],
      ['acknowledge', 'ignore', undefined],
      ['apply', 'apply', 'not-pending'],
      ['apply', 'ignore', 'not-pending'],
      ['ignore', 'apply', 'not-pending'],
      ['ignore', 'acknowledge', 'not-pending'],
    ] as const)('after %s, to %s is refused as %s', (before, then, refusal) => {
      const story = raised.when('bob', act(before)).and;
      expect(story.when('carol', act(then)).refusal).toBe(refusal);
    });

    test('that nobody raised is refused', () => {
      expect(given(version(1)).when('bob', act('apply')).refusal).toBe('unknown-alert');
    });
  });
});
