import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ceilTo,
  formatMoney,
  InvalidDecimalError,
  isReadable,
  Money,
  parseMoney,
  sumMoney,
} from './money.js';

describe('money', () => {
  it.each([
    '',
    ' 1',
    '1.',
    '.5',
    '01',
    '+1',
    '1e3',
    '1E-2',
    'NaN',
    'Infinity',
    '0x10',
    '1,5',
    '-',
    '1'.repeat(31),
  ])('does not read %j as an amount', (text) => {
    expect(() => parseMoney(text)).toThrow(InvalidDecimalError);
  });

  it.each([
    ['0.10', '0.1'],
    ['-0', '0'],
    ['0.000', '0'],
    ['100', '100'],
    ['0.00000000013', '0.00000000013'],
    ['123456789012345678901234567890.5', '123456789012345678901234567890.5'],
  ])('writes %s as %s', (text, canonical) => {
    expect(formatMoney(parseMoney(text))).toBe(canonical);
  });

  it.each([
    ['0', true],
    [`-${'9'.repeat(30)}.${'9'.repeat(30)}`, true],
    [`1${'0'.repeat(30)}`, false],
    [`0.${'0'.repeat(30)}1`, false],
  ])('knows whether it could read %s again', (text, isSo) => {
    expect(isReadable(new Money(text))).toBe(isSo);
    if (isSo) expect(parseMoney(formatMoney(new Money(text))).toFixed()).toBe(text);
  });

  it('never writes an exponent, and reads back what it wrote', () => {
    const digits = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n });
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 20 }), (unscaled, places) => {
        const amount = new Money(unscaled.toString()).div(new Money(10).pow(places));
        const text = formatMoney(amount);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(parseMoney(text).eq(amount)).toBe(true);
      }),
    );
  });

  it('multiplies rates, counts and multipliers without rounding', () => {
    const cost = parseMoney('0.000000000130000000000000000001').times(999_999_999).times('1.05');
    expect(formatMoney(cost)).toBe('0.13649999986350000000104999999895');
  });

  it('rounds a charge up to its decimals, and an exact one not at all', () => {
    expect(formatMoney(ceilTo(parseMoney('0.41250000001'), 4))).toBe('0.4126');
    expect(formatMoney(ceilTo(parseMoney('0.4125'), 4))).toBe('0.4125');
  });

  it('adds up exactly where doubles do not', () => {
    expect(formatMoney(sumMoney(['0.1', '0.2', '-0.3'].map(parseMoney)))).toBe('0');
  });
});
