import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOpenAiChatUsage } from './openai-chat.js';

const pools = (usage: unknown): unknown => {
  const reading = readOpenAiChatUsage(usage);
  return reading.kind === 'reported' ? reading.pools : reading;
};

describe('usage as OpenAI reports it', () => {
  it('is split into pools that exclude each other (OpenAI)', () => {
    expect(
      pools({
        prompt_tokens: 1000,
        completion_tokens: 300,
        total_tokens: 1300,
        prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 120,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      }),
    ).toEqual({ input: 300, cache_read: 600, cache_write: 100, output: 180, reasoning: 120 });
  });

  it('takes a cache hit that is named twice once (DeepSeek)', () => {
    const usage = {
      prompt_tokens: 563,
      completion_tokens: 116,
      total_tokens: 679,
      prompt_cache_hit_tokens: 512,
      prompt_cache_miss_tokens: 51,
      completion_tokens_details: { reasoning_tokens: 60 },
    };
    const expected = { input: 51, cache_read: 512, output: 56, reasoning: 60 };
    expect(pools(usage)).toEqual(expected);
    expect(pools({ ...usage, prompt_tokens_details: { cached_tokens: 512 } })).toEqual(expected);
  });

  it('leaves the vendor’s own cost alone (OpenRouter)', () => {
    expect(
      pools({
        prompt_tokens: 14,
        completion_tokens: 4,
        total_tokens: 18,
        cost: 0.000102,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      }),
    ).toEqual({ input: 14, output: 4 });
  });

  it('finds reasoning that only the total shows (xAI, Gemini)', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 };
    expect(pools(usage)).toEqual({ input: 10, output: 5, reasoning: 100 });
    const told = { ...usage, completion_tokens_details: { reasoning_tokens: 100 } };
    expect(pools(told)).toEqual({ input: 10, output: 5, reasoning: 100 });
  });

  it('keeps audio apart', () => {
    expect(
      pools({
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { audio_tokens: 40 },
        completion_tokens_details: { audio_tokens: 20 },
      }),
    ).toEqual({ input: 60, input_audio: 40, output: 30, output_audio: 20 });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'many'],
  ])('is missing, not zero, where the vendor said %s', (_what, usage) => {
    expect(readOpenAiChatUsage(usage)).toMatchObject({ kind: 'missing', why: 'absent' });
  });

  it.each([
    ['negative', { prompt_tokens: -5, completion_tokens: 7 }],
    ['not a number', { prompt_tokens: Number.NaN, completion_tokens: 7 }],
    ['a text', { prompt_tokens: '12', completion_tokens: 7 }],
    ['a fraction', { prompt_tokens: 1.5, completion_tokens: 7 }],
    ['absurd', { prompt_tokens: 1e300, completion_tokens: 7 }],
    ['negative output', { prompt_tokens: 5, completion_tokens: -7 }],
    ['zero', { prompt_tokens: 0, completion_tokens: 0 }],
    ['empty', {}],
  ])('is not believed where it is %s', (_what, usage) => {
    expect(readOpenAiChatUsage(usage)).toMatchObject({ kind: 'missing', why: 'not-believable' });
  });

  it('never makes a pool negative or loses a token, whatever the details say', () => {
    const count = fc.integer({ min: -10, max: 2_000 });
    const usage = fc.record({
      prompt_tokens: fc.integer({ min: 1, max: 1_000 }),
      completion_tokens: fc.integer({ min: 0, max: 1_000 }),
      prompt_tokens_details: fc.record({
        cached_tokens: count,
        cache_write_tokens: count,
        audio_tokens: count,
      }),
      completion_tokens_details: fc.record({ reasoning_tokens: count, audio_tokens: count }),
    });
    fc.assert(
      fc.property(usage, (reported) => {
        const reading = readOpenAiChatUsage(reported);
        if (reading.kind !== 'reported') throw new Error('not reported');
        const amounts = Object.values(reading.pools);
        expect(amounts.every((tokens) => tokens > 0)).toBe(true);
        const total = amounts.reduce((sum, tokens) => sum + tokens, 0);
        expect(total).toBe(reported.prompt_tokens + reported.completion_tokens);
      }),
    );
  });
});
