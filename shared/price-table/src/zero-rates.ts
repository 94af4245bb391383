import type { RateBody } from '@tollkeeper/contracts';

const isZero = ({ rate }: RateBody): boolean => !/[1-9]/.test(rate);
const isTokens = ({ unit = 'token' }: RateBody): boolean => unit === 'token';

/** Output that a model of such a mode does not make is listed as zero. */
const modesWithoutOutput = new Set(['embedding', 'rerank', 'moderation']);

/**
 * The rates without those zeros that a table writes for "not listed".
 *
 * Zero for a kind of token that would be priced as plain input or output, which are not free, would give away what
 * the vendor bills: a cache write at DeepSeek is billed as input. Left out, it falls back on them. Zero for the output
 * of a model that makes none says nothing.
 */
export const withoutUnknownZeros = (
  rates: readonly RateBody[],
  mode?: string,
): { readonly rates: RateBody[]; readonly leftOut: readonly string[] } => {
  const plain = rates.filter(({ meter }) => meter === 'input' || meter === 'output');
  const isPriced = plain.some((rate) => !isZero(rate));
  const leftOut = new Set<string>();
  const kept = rates.filter((rate) => {
    if (!isZero(rate) || !isTokens(rate) || !isPriced) return true;
    if (rate.meter === 'input') return true;
    if (rate.meter === 'output') return !modesWithoutOutput.has(mode ?? '');
    leftOut.add(rate.meter);
    return false;
  });
  return { rates: kept, leftOut: [...leftOut] };
};
