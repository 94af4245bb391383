import { describe, expect, it } from 'vitest';
import { modelsDevPrices } from './models-dev-prices.js';

const source = { name: 'models.dev', version: 'spec' };
const text = `{
  "xai": { "id": "xai", "name": "xAI", "models": {
    "grok": { "id": "grok", "limit": { "context": 256000, "output": 64000 }, "cost": {
      "input": 3, "output": 15.0, "reasoning": 15, "cache_read": 0.75, "cache_write": 0,
      "input_audio": 1.0000000000000002, "output_audio": 20,
      "context_over_200k": { "input": 6, "output": 30, "cache_read": 1.5 } } },
    "stepped": { "id": "stepped", "cost": { "input": 1, "output": 2,
      "tiers": [ { "input": 2, "output": 4, "tier": { "type": "context", "size": 32000 } },
                 { "input": 3, "output": 6, "tier": { "type": "context", "size": 128000 } } ],
      "context_over_200k": { "input": 9, "output": 9 } },
      "experimental": { "modes": { "fast": { "cost": { "input": 6, "output": 12 } } } } },
    "zeros": { "id": "zeros", "cost": { "input": 0, "output": 0 } },
    "small-free": { "id": "small-free", "cost": { "input": 0, "output": 0 } },
    "unlisted": { "id": "unlisted", "limit": { "context": 1000 } },
    "odd": { "id": "odd", "cost": { "input": 1, "output": 2, "smell": 3 } },
    "weekly": { "id": "weekly", "cost": { "input": 1, "output": 2,
      "tiers": [ { "input": 2, "output": 4, "tier": { "type": "weekday", "size": 3 } } ] } } } },
  "broken": { "id": "broken" }
}`;
const table = modelsDevPrices({ text, source });

describe('the table of models.dev', () => {
  it('gives US dollars for a million tokens, and a step above 200,000', () => {
    const [grok] = table.prices;
    expect(grok).toMatchObject({ provider: 'x-ai', model: 'grok', contextTokensMax: 256_000 });
    expect(grok?.rates.map((rate) => [rate.meter, rate.inputTokensOver, rate.rate])).toEqual([
      ['input', undefined, '3'],
      ['output', undefined, '15'],
      ['reasoning', undefined, '15'],
      ['cache_read', undefined, '0.75'],
      ['input_audio', undefined, '1'],
      ['output_audio', undefined, '20'],
      ['input', 200_000, '6'],
      ['output', 200_000, '30'],
      ['cache_read', 200_000, '1.5'],
    ]);
    expect(grok?.notes).toBe(
      'cache_write listed as 0 falls back; input_audio rounded from 1.0000000000000002',
    );
  });

  it('takes the list of steps before the older field, and a mode for a service tier', () => {
    const stepped = table.prices.find(({ model }) => model === 'stepped');
    expect(
      stepped?.rates.map((rate) => [
        rate.meter,
        rate.serviceTier ?? rate.inputTokensOver,
        rate.rate,
      ]),
    ).toEqual([
      ['input', undefined, '1'],
      ['output', undefined, '2'],
      ['input', 32_000, '2'],
      ['output', 32_000, '4'],
      ['input', 128_000, '3'],
      ['output', 128_000, '6'],
      ['input', 'fast', '6'],
      ['output', 'fast', '12'],
    ]);
  });

  it('tells free, unknown, unpriced and inexpressible apart', () => {
    expect(table.prices.map(({ model }) => model)).toEqual(['grok', 'stepped', 'small-free']);
    expect(table.quarantined).toMatchObject([{ model: 'zeros' }]);
    expect(table.unpriced).toMatchObject([{ model: 'unlisted' }]);
    expect(table.inexpressible.map(({ model, reason }) => `${model}: ${reason}`)).toEqual([
      'odd: a cost without a meaning here: smell',
      'weekly: a tier that is no size of the context',
      ': a provider without a list of models',
    ]);
  });

  it('refuses what is no table', () => {
    expect(() => modelsDevPrices({ text: '[1]', source })).toThrow(SyntaxError);
  });
});
