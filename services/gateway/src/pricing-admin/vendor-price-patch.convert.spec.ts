import { vendorPriceBody, type VendorPriceView } from '@tollkeeper/contracts';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../http/refusal-of.fixture.js';
import { bodyOf, modelOf, patched } from './vendor-price-patch.convert.js';

const view: VendorPriceView = {
  priceVersion: 'mistral:large@3',
  provider: 'mistral',
  model: 'large',
  aliases: ['large-latest'],
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  effectiveTo: '2027-01-01T00:00:00.000Z',
  inForce: true,
  rates: [
    { meter: 'input', unit: 'token', per: '1000000', rateUsd: '2.2', listedRate: '2' },
    {
      meter: 'output',
      unit: 'token',
      per: '1000000',
      rateUsd: '6.6',
      listedRate: '6',
      inputTokensOver: 200_000,
      window: { from: '22:00', to: '06:00' },
    },
  ],
  factors: [{ region: 'us', factor: '1.1' }],
  fallbacks: [{ meter: 'cache_read', of: 'input', ratio: '0.1' }],
  exchange: { currency: 'EUR', usdPerUnit: '1.1', asOf: '2026-01-01' },
  contextTokensMax: 128_000,
  source: { name: 'list' },
  notes: 'by hand',
  publishedBy: 'ann',
  publishedAt: '2025-12-01T00:00:00.000Z',
};

describe('a version that is published again', () => {
  const body = bodyOf(view);

  it('has what the old one had, in the currency of its list, and begins anew', () => {
    expect(vendorPriceBody.parse(body)).toEqual({
      provider: 'mistral',
      model: 'large',
      aliases: ['large-latest'],
      effectiveTo: view.effectiveTo,
      rates: [
        { meter: 'input', unit: 'token', per: '1000000', rate: '2' },
        {
          meter: 'output',
          unit: 'token',
          per: '1000000',
          rate: '6',
          inputTokensOver: 200_000,
          window: { from: '22:00', to: '06:00' },
        },
      ],
      factors: view.factors,
      fallbacks: view.fallbacks,
      currency: 'EUR',
      exchangeRate: { usdPerUnit: '1.1', asOf: '2026-01-01' },
      contextTokensMax: 128_000,
      source: { name: 'list' },
      notes: 'by hand',
    });
  });

  it('is in US dollars where the old one was', () => {
    const { exchange: _, ...inUsd } = view;
    const usd = bodyOf({
      ...inUsd,
      rates: [{ meter: 'input', unit: 'token', per: '1', rateUsd: '0.1' }],
    });
    expect(vendorPriceBody.parse(usd)).toMatchObject({ currency: 'USD', rates: [{ rate: '0.1' }] });
    expect(usd.exchangeRate).toBeUndefined();
  });

  it('changes what is named, removes what is null, and keeps the rest', () => {
    const rates = [{ meter: 'input', unit: 'token', per: '1000000', rate: '3' }];
    const next = patched(body, { rates, notes: null, effectiveTo: null });
    expect(next).toEqual({
      ...body,
      rates,
      notes: undefined,
      effectiveTo: undefined,
    });
  });

  it('takes another currency with other rates only, and not the old exchange rate', () => {
    const { status, message } = refusalOf(() => patched(body, { currency: 'CHF' }));
    expect({ status, message }).toEqual({
      status: 422,
      message: 'currency: another one takes other rates too',
    });
    const rates = [{ meter: 'input', unit: 'token', per: '1000000', rate: '3' }];
    expect(patched(body, { currency: 'CHF', rates })).toMatchObject({ currency: 'CHF', rates });
    expect(patched(body, { currency: 'CHF', rates }).exchangeRate).toBeUndefined();
    expect(patched(body, { currency: 'EUR' })).toEqual(body);
  });
});

describe('the model of a version', () => {
  it.each([
    ['openai:gpt-4o@2', 'openai', 'gpt-4o'],
    ['openrouter:meta-llama/llama-3:free@10', 'openrouter', 'meta-llama/llama-3:free'],
    ['google:text@001@1', 'google', 'text@001'],
  ])('is read from its id: %s', (id, provider, model) => {
    expect(modelOf(id)).toEqual({ provider, model });
  });

  it.each(['', 'gpt-4o', 'openai:@1', ':gpt@1', 'openai:gpt-4o', 'openai:gpt-4o@'])(
    'is not read from "%s"',
    (id) => {
      expect(modelOf(id)).toBeUndefined();
    },
  );
});
