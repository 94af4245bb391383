import { Money } from '@tollkeeper/kernel';
import { Decimal } from 'decimal.js';
import { describe, expect, it } from 'vitest';
import { decimalText, type Amount } from './amount.js';

describe('an amount', () => {
  it.each<[Amount, string]>([
    ['12.5', '12.5'],
    ['12.50', '12.5'],
    ['-0.0', '0'],
    ['123456789012345678901234567890.000000000000000000000000000001', ''],
    [new Decimal('0.1').plus('0.2'), '0.3'],
    [new Decimal('1e-9'), '0.000000001'],
    [new Decimal('1e21'), '1000000000000000000000'],
    [new Money('-7'), '-7'],
  ])('%s has one spelling', (amount, text) => {
    expect(decimalText(amount, 'amountCredits')).toBe(text || amount);
  });

  it('is not a number, for the compiler as at run time', () => {
    // @ts-expect-error -- a JS number never holds money
    expect(() => decimalText(0.3, 'amountCredits')).toThrow(
      new TypeError(
        'amountCredits must be a decimal string such as "12.5" or a Decimal, not the number 0.3: numbers are not exact',
      ),
    );
  });

  it.each([undefined, null, true, 5n, {}, '', '1e3', '1,5', ' 1', '0x10', 'NaN', new Decimal(NaN)])(
    'is not %s',
    (given) => {
      expect(() => decimalText(given as Amount, 'amountCredits')).toThrow(TypeError);
    },
  );
});
