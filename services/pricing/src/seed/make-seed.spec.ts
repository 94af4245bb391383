import type { ModelInfo } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { makeSeed, type ModelFact, type Seed } from './make-seed.js';

const model = (id: string, more: Partial<ModelInfo> = {}): ModelInfo => ({
  id,
  match: { equals: id },
  prices: { input_mtok: 1, output_mtok: 2 },
  ...more,
});

const seedOf = (models: ModelInfo[], facts: ModelFact[] = [], id = 'openai'): Seed =>
  makeSeed({
    providers: [{ id, name: id, api_pattern: '', models }],
    facts,
    find: (provider, name) =>
      provider !== id
        ? undefined
        : (models.find(({ match }) => 'equals' in match && match.equals === name) ??
          models.find(({ match }) => 'starts_with' in match && name.startsWith(match.starts_with))),
  });

const ratesOf = (prices: ModelInfo['prices']): readonly unknown[] => {
  const seed = seedOf([model('m', { prices })]);
  return seed.quarantined.length > 0
    ? seed.quarantined
    : seed.prices.map(({ effectiveFrom, rates }) => [
        effectiveFrom.slice(0, 10),
        ...rates.map(({ meter, rateUsd, inputTokensOver, window }) =>
          [meter, rateUsd, inputTokensOver, window && `${window.from}-${window.to}`]
            .join(' ')
            .trim(),
        ),
      ]);
};

describe('makeSeed', () => {
  test('writes the shortest decimal text of a double', () => {
    expect(ratesOf({ input_mtok: 0.075, output_mtok: 1e-7 * 3 })).toEqual([
      { provider: 'openai', model: 'm', reason: expect.stringContaining('tenth') as string },
    ]);
    expect(ratesOf({ input_mtok: 1e-7, output_mtok: 0.1 })).toEqual([
      ['2020-01-01', 'input 0.0000001', 'output 0.1'],
    ]);
  });

  test('quarantines binary noise', () => {
    expect(ratesOf({ input_mtok: 0.1 + 0.2, output_mtok: 1 })).toMatchObject([{ model: 'm' }]);
  });

  test('keeps context tiers', () => {
    const input = { base: 1, tiers: [{ start: 200_000, price: 2 }] };
    expect(ratesOf({ input_mtok: input, output_mtok: 3 })).toEqual([
      ['2020-01-01', 'input 1', 'input 2 200000', 'output 3'],
    ]);
  });

  test('makes a version of each dated price and gives a window to the one before it', () => {
    expect(
      ratesOf([
        { prices: { input_mtok: 1, output_mtok: 2 } },
        {
          constraint: { type: 'start_date', start_date: '2026-08-17' },
          prices: { input_mtok: 2, output_mtok: 3 },
        },
        {
          constraint: { type: 'time_of_date', start_time: '01:00:00Z', end_time: '04:00:00Z' },
          prices: { input_mtok: 4, output_mtok: 6 },
        },
      ]),
    ).toEqual([
      ['2020-01-01', 'input 1', 'output 2'],
      ['2026-08-17', 'input 2', 'output 3', 'input 4  01:00-04:00', 'output 6  01:00-04:00'],
    ]);
  });

  test.each<[string, ModelInfo['prices'], string]>([
    ['no rates', {}, 'no rates'],
    [
      'a meter that has no name here',
      { input_mtok: 1, output_mtok: 2, input_gpixels: 1 },
      'input_gpixels',
    ],
    [
      'a window of seconds',
      [
        { prices: { input_mtok: 1, output_mtok: 2 } },
        {
          constraint: { type: 'time_of_date', start_time: '01:00:30Z', end_time: '04:00:00Z' },
          prices: { input_mtok: 4, output_mtok: 6 },
        },
      ],
      'minute of UTC',
    ],
    [
      'dates out of order',
      [
        {
          constraint: { type: 'start_date', start_date: '2026-08-17' },
          prices: { input_mtok: 1, output_mtok: 2 },
        },
        { prices: { input_mtok: 1, output_mtok: 2 } },
      ],
      'out of order',
    ],
  ])('quarantines a model with %s, whole', (_, prices, reason) => {
    const seed = seedOf([model('m', { prices })]);
    expect(seed.prices).toEqual([]);
    expect(seed.quarantined[0]?.reason).toContain(reason);
  });

  test('quarantines what the table has from hearsay, and a model whose name finds another', () => {
    const seed = seedOf([
      model('a', { price_comments: 'Imported from OpenRouter pricing; verify.' }),
      model('b', { match: { equals: 'c' } }),
    ]);
    expect(seed.quarantined.map(({ model: name, reason }) => [name, reason])).toEqual([
      ['a', 'not the vendor’s own price, as the table says itself'],
      ['b', 'another model answers to its name'],
    ]);
  });

  test('passes over models of other kinds than chat', () => {
    const seed = seedOf([
      model('text-embedding-3-small', { prices: { input_mtok: 1 } }),
      model('gpt-4o-audio-preview'),
      model('m', { prices: { input_mtok: 1 } }),
    ]);
    expect(seed.passedOver).toHaveLength(3);
    expect(seed.prices).toEqual([]);
  });

  test('adds aliases and limits that the table does not hold, for names that it gives to the model', () => {
    const facts = [
      { provider: 'openai', name: 'm', outputTokensMax: 4096, contextTokensMax: 9 },
      { provider: 'openai', name: 'm-2026-01-01', outputTokensMax: 1 },
      { provider: 'openai', name: 'other' },
      { provider: 'azure', name: 'm-azure' },
    ];
    const [price] = seedOf(
      [model('m', { match: { starts_with: 'm' }, context_window: 8192 })],
      facts,
    ).prices;
    expect(price).toMatchObject({
      aliases: ['m-2026-01-01'],
      contextTokensMax: 8192,
      outputTokensMax: 4096,
    });
  });

  test('lists for Azure the models of OpenAI, saying so', () => {
    const gpt = model('gpt-4o');
    const seed = makeSeed({
      providers: [
        { id: 'openai', name: 'OpenAI', api_pattern: '', models: [gpt] },
        { id: 'azure', name: 'Azure', api_pattern: '', models: [] },
      ],
      facts: [{ provider: 'openai', name: 'gpt-4o', outputTokensMax: 16_384 }],
      find: () => gpt,
    });
    expect(seed.prices).toMatchObject([
      { priceVersion: 'openai:gpt-4o@1' },
      { priceVersion: 'azure:gpt-4o@1', notes: 'as openai lists it', outputTokensMax: 16_384 },
    ]);
  });
});
