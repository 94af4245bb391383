/** What a charge says of itself, in words. */

const words: Readonly<Record<string, string>> = {
  'service-tier-unpriced':
    'a rate of the standard service tier stands for one of the tier that answered',
  'region-unpriced': 'the price names no rate of the region: the rate of anywhere stands for it',
  'model-mismatch': 'a model outside the quote answered; it is charged as the quoted one',
  'usage-missing': 'the vendor reported no usage: the bound of the call is charged',
  late: 'the usage came after the reservation had expired',
  'below-cost': 'it charges less than the vendor bills',
};

const wordsFor: Readonly<Record<string, (meter: string) => string>> = {
  'ratio-fallback': (meter) =>
    `the price has no rate for ${meter}: a part of another meter’s rate stands for it`,
  'unpriced-meter': (meter) =>
    `the price has no rate for ${meter}: the bound of the call is charged`,
};

const own = <T>(map: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined;

/** A flag as a sentence without its end; one that is not known here as it is. */
export const flagInWords = (flag: string): string => {
  const [name = '', meter] = flag.split(':', 2);
  const sentence = meter === undefined ? own(words, name) : own(wordsFor, name)?.(meter);
  return sentence ?? flag;
};
