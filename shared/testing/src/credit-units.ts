/** Ten-thousandths of a credit: the model counts in whole ones, so that it shares no arithmetic with the product. */
export type Units = bigint;

/** A decimal as a whole number of parts, `places` decimals each; undefined for one that is finer. */
export const scaled = (decimal: string, places: number): bigint | undefined => {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? [];
  if (whole === undefined) throw new Error(`${decimal} is not a decimal`);
  if (fraction.length > places) return undefined;
  const parts = BigInt(whole) * 10n ** BigInt(places) + BigInt(fraction.padEnd(places, '0') || '0');
  return sign === '-' ? -parts : parts;
};

/** Canonical, as on the wire. */
export const unscaled = (parts: bigint, places: number): string => {
  const size = parts < 0n ? -parts : parts;
  const one = 10n ** BigInt(places);
  const fraction = places === 0 ? '' : (size % one).toString().padStart(places, '0');
  const shown = fraction.replace(/0+$/, '');
  const text = `${(size / one).toString()}${shown === '' ? '' : `.${shown}`}`;
  return parts < 0n ? `-${text}` : text;
};

const creditPlaces = 4;

/** Undefined for what has more than four decimals. */
export const unitsOf = (decimal: string): Units | undefined => scaled(decimal, creditPlaces);

/** Canonical, as on the wire. */
export const decimalOf = (units: Units): string => unscaled(units, creditPlaces);

export const least = (a: Units, b: Units): Units => (a < b ? a : b);
