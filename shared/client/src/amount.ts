import { formatMoney, isDecimalString, Money } from '@tollkeeper/kernel';
import { Decimal } from 'decimal.js';

/**
 * An exact amount of credits or US dollars: a decimal string such as `"12.5"`, or a Decimal of
 * decimal.js. Never a number: 0.1 + 0.2 is not 0.3 there, and money must be.
 */
export type Amount = string | Decimal;

/**
 * The one spelling of an amount on the wire, so that the same amount is the same command.
 *
 * @throws TypeError on anything but a decimal string or a finite Decimal
 */
export const decimalText = (amount: Amount, field: string): string => {
  const given: unknown = amount;
  const text = typeof given === 'string' ? given : decimalOf(given, field);
  if (isDecimalString(text)) return formatMoney(new Money(text));
  throw new TypeError(`${field}: not a decimal amount such as "12.5": ${JSON.stringify(text)}`);
};

const decimalOf = (given: unknown, field: string): string => {
  if (Decimal.isDecimal(given)) return given.toFixed();
  throw new TypeError(
    `${field} must be a decimal string such as "12.5" or a Decimal, not ${kindOf(given)}`,
  );
};

const kindOf = (given: unknown): string =>
  typeof given === 'number'
    ? `the number ${String(given)}: numbers are not exact`
    : given === null
      ? 'null'
      : typeof given;
