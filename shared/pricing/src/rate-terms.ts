import type { RateFactor, RatioFallback, VendorPricePublished } from '@tollkeeper/events';
import { parseMoney, type Money } from '@tollkeeper/kernel';
import {
  CorruptPriceBookError,
  parseRate,
  regionOf,
  serviceTierOf,
  standardTier,
  type ConditionalRate,
} from './rate.js';

/** Multiplies the rates that it names, where it holds. */
export interface Factor {
  readonly region: string | undefined;
  readonly serviceTier: string | undefined;
  /** Undefined: every meter. */
  readonly meters: ReadonlySet<string> | undefined;
  readonly amount: Money;
}

/** Where a meter has no rate: a part of another's. */
export interface Ratio {
  readonly of: string;
  readonly amount: Money;
}

/** All that a version says of rates, parsed. */
export interface RateTerms {
  readonly rates: readonly ConditionalRate[];
  readonly factors: readonly Factor[];
  /** By the meter that lacks a rate. */
  readonly ratios: ReadonlyMap<string, Ratio>;
}

/** What vendors publish as their rule for all models, for versions that list no such rate: by provider. */
const publishedRatios: Readonly<Record<string, readonly RatioFallback[]>> = {
  anthropic: [
    { meter: 'cache_read', of: 'input', ratio: '0.1' },
    { meter: 'cache_write', of: 'input', ratio: '1.25' },
    { meter: 'cache_write_1h', of: 'input', ratio: '2' },
  ],
  google: [{ meter: 'cache_read', of: 'input', ratio: '0.05' }],
};

const positive = (text: string, what: string): Money => {
  const amount = parseMoney(text);
  if (amount.lte(0)) throw new CorruptPriceBookError(`not a ${what}: ${text}`);
  return amount;
};

const parseFactor = ({ region, serviceTier, meters, factor }: RateFactor): Factor => ({
  region: regionOf(region),
  serviceTier: serviceTier === undefined ? undefined : serviceTierOf(serviceTier),
  meters: meters && new Set(meters),
  amount: positive(factor, 'factor'),
});

type Listed = Pick<VendorPricePublished, 'provider' | 'rates' | 'factors' | 'fallbacks'>;

const ratiosOf = ({ provider, fallbacks }: Listed): ReadonlyMap<string, Ratio> => {
  const published = Object.hasOwn(publishedRatios, provider) ? publishedRatios[provider] : [];
  const ratios = new Map<string, Ratio>();
  for (const { meter, of, ratio } of [...(published ?? []), ...(fallbacks ?? [])]) {
    ratios.set(meter, { of, amount: positive(ratio, 'ratio') });
  }
  return ratios;
};

/** Throws CorruptPriceBookError, or InvalidDecimalError, for what no writer of ours records. */
export const parseTerms = (published: Listed): RateTerms => ({
  rates: published.rates.map(parseRate),
  factors: (published.factors ?? []).map(parseFactor),
  ratios: ratiosOf(published),
});

/** The tiers and regions that have a rate or a factor of their own. */
export const tiersNamed = ({ rates, factors }: RateTerms): readonly string[] => {
  const named = new Set([...rates, ...factors].map(({ serviceTier }) => serviceTier));
  return [...named].filter((tier) => tier !== undefined && tier !== standardTier) as string[];
};

export const regionsNamed = ({ rates, factors }: RateTerms): readonly string[] => {
  const named = new Set([...rates, ...factors].map(({ region }) => region));
  return [...named].filter((region) => region !== undefined);
};

/** Meters that have a rate, a factor or a ratio. */
export const metersNamed = ({ rates, factors, ratios }: RateTerms): readonly string[] => [
  ...rates.map(({ meter }) => meter),
  ...factors.flatMap(({ meters }) => [...(meters ?? [])]),
  ...ratios.keys(),
];
