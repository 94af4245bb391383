import fc from 'fast-check';
import * as o200k from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { boundByBytes, hasLongRun, TextCounter } from './text-counter.js';

const exact = (text: string): number => o200k.countTokens(text, { disallowedSpecial: new Set() });

describe('the count of a text', () => {
  const counter = new TextCounter();

  it('is never below what the tokenizer counts, whatever the text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.lorem({ maxCount: 200 }),
    );
    fc.assert(
      fc.property(text, (value) => {
        const { most } = counter.count('o200k', value);
        expect(most).toBeGreaterThanOrEqual(exact(value));
        expect(boundByBytes(value).most).toBeGreaterThanOrEqual(exact(value));
      }),
    );
  });

  it('is exact for ordinary text, the first time and from memory', () => {
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(40);
    expect(counter.count('o200k', text).most).toBe(exact(text));
    expect(counter.count('o200k', text).most).toBe(exact(text));
  });

  it('takes what looks like a control token as text', () => {
    expect(counter.count('o200k', '<|endoftext|>').most).toBe(exact('<|endoftext|>'));
    expect(counter.count('o200k', '<|endoftext|>').most).toBeGreaterThan(1);
  });

  it('is by bytes for long texts, at once', () => {
    const text = 'word '.repeat(100_000);
    const started = performance.now();
    expect(counter.count('o200k', text)).toEqual({ most: 500_000, likely: 125_000 });
    expect(performance.now() - started).toBeLessThan(50);
  });

  it.each(['qzxjkvwb'.repeat(2_000), '!'.repeat(16_000), ' '.repeat(16_000), '汉'.repeat(5_000)])(
    'is by bytes where merging would take quadratic time: %.12s…',
    (text) => {
      expect(hasLongRun(text)).toBe(true);
      expect(counter.count('o200k', text).most).toBe(Buffer.byteLength(text));
    },
  );

  it('is by bytes for the older encoding until that is loaded, then exact', async () => {
    const text = 'The quick brown fox jumps over the lazy dog.';
    expect(counter.count('cl100k', text).most).toBe(text.length);
    await expect.poll(() => counter.count('cl100k', text).most, { timeout: 10_000 }).toBe(10);
  });
});
