/** Ten-thousandths of a credit: the model counts in whole ones, so that it shares no arithmetic with the product. */
export type Units = bigint;

/** Undefined for what has more than four decimals. */
export const unitsOf = (decimal: string): Units | undefined => {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? [];
  if (whole === undefined) throw new Error(`${decimal} is not a decimal`);
  if (fraction.length > 4) return undefined;
  const units = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, '0'));
  return sign === '-' ? -units : units;
};

/** Canonical, as on the wire. */
export const decimalOf = (units: Units): string => {
  const size = units < 0n ? -units : units;
  const fraction = (size % 10_000n).toString().padStart(4, '0').replace(/0+$/, '');
  const text = `${(size / 10_000n).toString()}${fraction === '' ? '' : `.${fraction}`}`;
  return units < 0n ? `-${text}` : text;
};

export const least = (a: Units, b: Units): Units => (a < b ? a : b);
