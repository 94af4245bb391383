import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { formatMoney } from '@tollkeeper/kernel';
import { readListedAmount } from './listed-amount.js';

it.each<[string, string, string | undefined]>([
  ['2.5e-06', '0.0000025', undefined],
  ['0.123456789012', '0.123456789012', undefined],
  ['4.5003000000000007E-7', '0.00000045003', '4.5003000000000007E-7'],
  ['0.0002833333333333333', '0.000283333333333', '0.0002833333333333333'],
  ['0.08333333333333334', '0.0833333333333', '0.08333333333333334'],
  ['1.3e-10', '0.00000000013', undefined],
  ['0.1234567890125', '0.123456789012', '0.1234567890125'],
  ['.5', '0.5', undefined],
  ['0.0', '0', undefined],
  ['-1', '-1', undefined],
])('%s is read as %s', (text, amount, roundedFrom) => {
  const read = readListedAmount(text);
  expect(read && formatMoney(read.amount)).toBe(amount);
  expect(read?.roundedFrom).toBe(roundedFrom);
});

it.each(['', 'free', '1e', '0x10', '1,5', 'NaN', 'Infinity', '1e-31', 0.5, null, undefined])(
  '%j is no amount',
  (text) => {
    expect(readListedAmount(text)).toBeUndefined();
  },
);

test('an amount of up to 12 digits is exact, whatever its exponent', () => {
  const digits = fc.integer({ min: 1, max: 999_999_999_999 });
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 18 }), (whole, exponent) => {
      const read = readListedAmount(`${String(whole)}e-${String(exponent)}`);
      expect(read?.roundedFrom).toBeUndefined();
      expect(read?.amount.times(`1e${String(exponent)}`).toNumber()).toBe(whole);
    }),
  );
});
