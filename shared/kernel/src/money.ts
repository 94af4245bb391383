import { Decimal } from 'decimal.js';

/**
 * Exact decimal arithmetic for credits and US dollars.
 *
 * 60 significant digits hold every product of a rate (≤ 18 decimals), a token count and a
 * multiplier without rounding; decimal.js's default of 20 does not.
 */
export const Money = Decimal.clone({
  precision: 60,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});

/** An exact amount: credits, US dollars or a rate, as its name's last word says. */
export type Money = Decimal;

export const zero: Money = new Money(0);

/** The one spelling of an amount outside this process: no exponent, no sign on zero. */
export type DecimalString = string;

/** At most 60 characters, so that a hostile amount cannot exceed the precision. */
export const decimalPattern = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,30})?$/;

export class InvalidDecimalError extends Error {
  override readonly name = 'InvalidDecimalError';
}

export const isDecimalString = (text: string): boolean => decimalPattern.test(text);

/** Reads an amount; throws InvalidDecimalError on anything but plain decimal text. */
export const parseMoney = (text: DecimalString): Money => {
  if (!decimalPattern.test(text)) {
    throw new InvalidDecimalError(`not a decimal amount: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return new Money(text);
};

/** Whether what is written of an amount can be read again: sums outgrow what their parts were held to. */
export const isReadable = (amount: Money): boolean => amount.e < 30 && amount.decimalPlaces() <= 30;

/** Writes an amount canonically: `0.1`, never `1e-1`, `0.10` or `-0`. */
export const formatMoney = (amount: Money): DecimalString =>
  amount.isZero() ? '0' : amount.toString();

/** The smallest multiple of 10^-decimals that is not below the amount. */
export const ceilTo = (amount: Money, decimals: number): Money =>
  amount.toDecimalPlaces(decimals, Decimal.ROUND_CEIL);

/** The greatest multiple of 10^-decimals that is not above the amount. */
export const floorTo = (amount: Money, decimals: number): Money =>
  amount.toDecimalPlaces(decimals, Decimal.ROUND_FLOOR);

export const minMoney = (a: Money, b: Money): Money => (a.lt(b) ? a : b);
export const maxMoney = (a: Money, b: Money): Money => (a.gt(b) ? a : b);

export const sumMoney = (amounts: Iterable<Money>): Money => {
  let total: Money = zero;
  for (const amount of amounts) total = total.plus(amount);
  return total;
};
