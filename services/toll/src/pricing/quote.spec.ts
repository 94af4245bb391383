import { describe, expect, it } from 'vitest';

import { questionOf } from './quote.js';

const pro = { tier: 'pro' };

describe('a quote that is asked for', () => {
  it('is of pools of tokens', () => {
    const usage = ['input=1000', 'cache_read=0'];
    expect(questionOf('openai', 'gpt-4o', { ...pro, usage })).toEqual({
      provider: 'openai',
      model: 'gpt-4o',
      tier: 'pro',
      usage: { input: 1000, cache_read: 0 },
    });
  });

  it('or of a bound', () => {
    const bound = { inputTokens: '1000', outputTokens: '500' };
    expect(questionOf('openai', 'gpt-4o', { ...pro, ...bound })).toMatchObject({
      bounds: { inputTokens: 1000, outputTokens: 500, choices: 1 },
    });
  });

  it.each<[string, object, string]>([
    ['neither', {}, 'either usage or bounds'],
    ['both', { usage: ['input=1'], inputTokens: '1', outputTokens: '1' }, 'either usage or bounds'],
    ['half a bound', { inputTokens: '1' }, 'output-tokens: '],
    ['choices of nothing', { choices: '2' }, 'input-tokens: '],
    ['part of a token', { usage: ['input=1.5'] }, '"input=1.5"'],
    ['a pool without count', { usage: ['input'] }, '"input"'],
    ['a tier that is none', { usage: ['input=1'], tier: 'gold' }, 'tier: '],
  ])('is not %s', (_what, options, message) => {
    expect(() => questionOf('openai', 'gpt-4o', { ...pro, ...options })).toThrow(message);
  });
});
