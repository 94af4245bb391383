import { describe, expect, it } from 'vitest';
import type { VendorPriceBody } from '@tollkeeper/contracts';
import { litellmPrices } from './litellm-prices.js';
import { litellmTable } from './litellm-table.fixture.js';
import type { NotImported } from './price-import.js';

const source = { name: 'litellm', version: 'spec' };
const table = litellmPrices({ text: litellmTable, source });

const priceOf = (name: string, of = table): VendorPriceBody => {
  const price = of.prices.find(({ provider, model }) => `${provider}/${model}` === name);
  if (!price) throw new Error(`${name} is not imported`);
  return price;
};

/** `input batch >200000 3/1000000 token`. */
const ratesOf = (name: string): string[] =>
  priceOf(name).rates.map(({ meter, serviceTier, inputTokensOver, rate, per, unit }) =>
    [
      meter,
      serviceTier,
      inputTokensOver === undefined ? undefined : `>${String(inputTokensOver)}`,
      `${rate}/${per ?? ''} ${unit ?? ''}`,
    ]
      .filter((part) => part !== undefined)
      .join(' '),
  );

const reasonsOf = (entries: readonly NotImported[]): Record<string, string> =>
  Object.fromEntries(
    entries.map(({ provider, model, reason }) => [`${provider}/${model}`, reason]),
  );

describe('LiteLLM’s table', () => {
  it.each<[string, string, string[]]>([
    [
      'suffixes stack',
      'acme/acme-chat',
      [
        'input 3/1000000 token',
        'output 15/1000000 token',
        'cache_read 0.3/1000000 token',
        'cache_write 3.75/1000000 token',
        'cache_write_1h 6/1000000 token',
        'cache_write_1h >200000 12/1000000 token',
        'input >200000 6/1000000 token',
        'output >200000 22.5/1000000 token',
        'input batch 1.5/1000000 token',
        'input priority >200000 12/1000000 token',
      ],
    ],
    [
      'noise is rounded to 12 digits and the smallest rate is exact',
      'acme/dotted',
      [
        'input 0.45003/1000000 token',
        'output 0.9/1000000 token',
        'cache_read 0.00013/1000000 token',
      ],
    ],
    [
      'an inclusive upper bound is a strict lower one',
      'dashscope/stepped',
      [
        'input 0.05/1000000 token',
        'output 0.4/1000000 token',
        'input >32000 0.25/1000000 token',
        'output >32000 2/1000000 token',
      ],
    ],
    [
      'searches by the number of results are meters of their own',
      'finder/search',
      ['query_up_to_25 0.005/1 query', 'query_up_to_100 0.025/1 query'],
    ],
    [
      'seconds of video by length are meters of their own',
      'google-vertex/videos',
      [
        'input_video_second 0.0005/1 second',
        'input_video_second_over_8s 0.001/1 second',
        'input_video_second_over_15s 0.002/1 second',
      ],
    ],
    [
      'seconds of video by resolution too',
      'google-vertex/veo',
      ['output_video_second 0.05/1 second', 'output_video_second_1080p 0.08/1 second'],
    ],
    ['seconds of a transcription are of audio', 'openai/whisper', ['audio_second 0.0001/1 second']],
    [
      'a prompt that Google grounds is billed once',
      'google/grounded',
      ['input 1/1000000 token', 'output 4/1000000 token', 'grounded_prompt 35/1000 prompt'],
    ],
    [
      'or by the query, where the table says so',
      'google/by-query',
      ['input 1/1000000 token', 'output 4/1000000 token', 'web_search 14/1000 search'],
    ],
    [
      'output that an embedding has not is left out',
      'openai/text-embed',
      ['input 0.02/1000000 token'],
    ],
    [
      'tokens are free where a query is what is billed',
      'cohere/rerank',
      ['query 0.002/1 query', 'input 0/1000000 token', 'output 0/1000000 token'],
    ],
    [
      'a zero that means "not listed" falls back, and one price may have two fields',
      'deepseek/chat',
      ['input 0.28/1000000 token', 'cache_read 0.028/1000000 token', 'output 0.42/1000000 token'],
    ],
    [
      'dollars stand before a vendor’s own units',
      'databricks/both',
      ['input 2.99999/1000000 token', 'output 15.00002/1000000 token'],
    ],
    [
      'a name may say that a model is free',
      'openrouter/small:free',
      ['input 0/1000000 token', 'output 0/1000000 token'],
    ],
  ])('%s', (_, name, rates) => {
    expect(ratesOf(name).sort()).toEqual([...rates].sort());
  });

  it('bills a search of unknown size as a medium one', () => {
    expect(ratesOf('anthropic/claude-fast').filter((rate) => rate.includes('search'))).toEqual([
      'web_search_low 10/1000 search',
      'web_search 12/1000 search',
      'web_search_medium 12/1000 search',
      'web_search_high 15/1000 search',
    ]);
  });

  it.each<[string, object[]]>([
    [
      'anthropic/claude-fast',
      [
        { region: 'us', factor: '1.1' },
        { serviceTier: 'fast', factor: '6' },
      ],
    ],
    [
      'openai/gpt-region',
      [
        { region: 'eu', factor: '1.1' },
        { region: 'us', factor: '1.1' },
      ],
    ],
  ])('finds the factors of %s, on its tokens alone', (name, factors) => {
    const found = priceOf(name).factors ?? [];
    expect(found).toMatchObject(factors);
    for (const { meters } of found) {
      expect(meters).toEqual(expect.arrayContaining(['input', 'output', 'cache_write_1h']));
      expect(meters).not.toContain('web_search');
    }
  });

  it('keeps limits, where the price is listed, the source, and what was rounded from', () => {
    expect(priceOf('acme/acme-chat')).toMatchObject({
      contextTokensMax: 200_000,
      outputTokensMax: 8192,
      source,
      notes: 'as listed at https://acme.example/pricing',
    });
    const { notes } = priceOf('acme/dotted');
    expect(notes).toBe('input_cost_per_token rounded from 4.5003000000000007E-7');
    expect(priceOf('deepseek/chat').notes).toBe('cache_write listed as 0 falls back');
  });

  it('exchanges a vendor’s own units by the rate that it is given, and leaves it open without', () => {
    expect(priceOf('databricks/units')).toMatchObject({
      currency: 'DBU',
      rates: [{ rate: '42.857' }, { rate: '214.286' }],
    });
    expect(priceOf('databricks/units')).not.toHaveProperty('exchangeRate');
    const exchangeRates = { DBU: { usdPerUnit: '0.07', asOf: '2026-11-20' } };
    const exchanged = litellmPrices({ text: litellmTable, source, exchangeRates });
    expect(priceOf('databricks/units', exchanged)).toMatchObject({
      exchangeRate: exchangeRates.DBU,
    });
  });

  it('quarantines what is not to be believed, and says why', () => {
    expect(reasonsOf(table.quarantined)).toEqual({
      'wandb/slip': 'implausibly dear: input 135000 USD per 1000000 token',
      'nobody/zeros': 'zero for everything: free or unknown?',
    });
  });

  it('tells what it cannot express from what is not priced', () => {
    expect(reasonsOf(table.inexpressible)).toEqual({
      'dashscope/gap': 'tiered_pricing leaves a gap before 64000 tokens',
      'acme/future': 'a cost field without a meaning here: output_cost_per_smell',
      'acme/twice': 'input_cost_per_token_cache_hit prices cache_read again, at another rate',
      'acme/words': 'input_cost_per_token is no amount: "cheap"',
      '/nameless': 'no model of a provider',
    });
    expect(reasonsOf(table.unpriced)).toEqual({
      'nobody/unlisted': 'no cost field: unknown, which is not free',
    });
  });

  it('takes an entry that says the same once, and gives one that does not its full name', () => {
    expect(reasonsOf(table.repeated)).toEqual({
      'acme/same': 'listed as acme/same and as same',
    });
    expect(ratesOf('acme/other')).toEqual(['input 1/1000000 token', 'output 2/1000000 token']);
    expect(ratesOf('acme/acme/other')).toEqual(['input 3/1000000 token', 'output 4/1000000 token']);
  });

  it.each(['', '[]', '{"a":', 'null', '<html>'])('refuses %j, which is no table', (text) => {
    expect(() => litellmPrices({ text, source })).toThrow(SyntaxError);
  });
});
