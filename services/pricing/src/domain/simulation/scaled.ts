/**
 * Exact amounts as whole numbers of 10⁻³⁰: every decimal of the wire fits (`decimalPattern` allows 30 decimals), and sums and
 * products of millions of usages cost a tenth of what decimal.js takes. Products have 60 decimals.
 */
export const places = 30;
export const one = 10n ** BigInt(places);

/** 10⁰ to 10³⁰. */
const powers = Array.from({ length: places + 1 }, (_, exponent) => 10n ** BigInt(exponent));

/** So many digits of text are the same number as a double, which is quicker to read. */
const safeDigits = 15;

const wholeOf = (digits: string): bigint =>
  digits.length <= safeDigits ? BigInt(Number(digits)) : BigInt(digits);

/** From canonical decimal text; throws SyntaxError or RangeError on anything else. */
export const toScaled = (text: string): bigint => {
  const point = text.indexOf('.');
  if (point < 0) return wholeOf(text) * one;
  const power = powers[places - (text.length - point - 1)];
  if (power === undefined) throw new RangeError(`more than ${String(places)} decimals: ${text}`);
  return wholeOf(text.slice(0, point) + text.slice(point + 1)) * power;
};

/** Canonical decimal text of a whole number of 10⁻ᵈ. */
const toText = (value: bigint, decimals: number): string => {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - decimals);
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
};

export const fromScaled = (value: bigint): string => toText(value, places);

/** Of a product of two. */
export const fromProduct = (value: bigint): string => toText(value, 2 * places);

/** The smallest whole number that is not below the quotient; both positive, or the first zero. */
export const ceilDiv = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** `part` of `whole` as text, cut off after 6 decimals; undefined of nothing. */
export const shareOf = (part: bigint, whole: bigint): string | undefined =>
  whole === 0n ? undefined : toText((part * 1_000_000n) / whole, 6);
