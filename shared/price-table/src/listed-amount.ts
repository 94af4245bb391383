import { readAmount, type Money } from '@tollkeeper/kernel';
import { significantDigitsMax } from './sanity-gate.js';

export interface ListedAmount {
  readonly amount: Money;
  /** The table's text, where it was rounded. */
  readonly roundedFrom?: string;
}

/**
 * An amount of a price table, read from its decimal text and never through a double; undefined where it is none.
 *
 * Tables that were written by a program hold what binary fractions left: 4.5003000000000007E-7 for 0.45003 a million.
 * No vendor prints more than 12 significant digits, so an amount of more is rounded half-even to 12; its text is kept
 * for the price's notes. Amounts of up to 12 digits are exact.
 */
export const readListedAmount = (text: unknown): ListedAmount | undefined => {
  if (typeof text !== 'string') return undefined;
  const amount = readAmount(text.startsWith('.') ? `0${text}` : text);
  if (!amount) return undefined;
  const rounded = amount.toSignificantDigits(significantDigitsMax);
  return rounded.eq(amount) ? { amount } : { amount: rounded, roundedFrom: text };
};
