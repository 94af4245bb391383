import { decimalPattern, formatMoney, parseMoney } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceilDiv, fromProduct, fromScaled, shareOf, toScaled } from './scaled.js';

/** Any decimal of the wire. */
const anyDecimal = fc.stringMatching(decimalPattern).map((text) => formatMoney(parseMoney(text)));

describe('scaled amounts', () => {
  test('are the same text again', () => {
    fc.assert(
      fc.property(anyDecimal, (text) => {
        expect(fromScaled(toScaled(text))).toBe(text);
      }),
    );
  });

  test('multiply as decimals do', () => {
    const short = fc.stringMatching(/^-?(?:0|[1-9]\d{0,9})(?:\.\d{1,15})?$/);
    fc.assert(
      fc.property(short, short, (a, b) => {
        const product = parseMoney(a).times(parseMoney(b));
        expect(fromProduct(toScaled(a) * toScaled(b))).toBe(formatMoney(product));
      }),
    );
  });

  test.each([
    [0n, 7n, 0n],
    [1n, 7n, 1n],
    [7n, 7n, 1n],
    [8n, 7n, 2n],
  ])('%s ÷ %s, up, is %s', (value, by, expected) => {
    expect(ceilDiv(value, by)).toBe(expected);
  });

  test('shares have 6 decimals, and there is none of nothing', () => {
    expect(shareOf(1n, 3n)).toBe('0.333333');
    expect(shareOf(-1n, 4n)).toBe('-0.25');
    expect(shareOf(1n, 0n)).toBeUndefined();
  });
});
