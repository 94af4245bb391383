import type { VendorPricePublished } from '@tollkeeper/events';
import type { Money } from '@tollkeeper/kernel';
import { compileCard, type RateCard } from './rate-card.js';
import { regionOf, standardTier } from './rate.js';
import { parseTerms, regionsNamed, tiersNamed, type RateTerms } from './rate-terms.js';

/** The cards of one region, or of anywhere. */
export interface Cards {
  readonly standard: RateCard;
  readonly byServiceTier: ReadonlyMap<string, RateCard>;
}

/** From `fromMinute` of the UTC day to the next part's. Its own cards are those of anywhere. */
interface DayPart extends Cards {
  readonly fromMinute: number;
  readonly byRegion: ReadonlyMap<string, Cards>;
}

/** An immutable version of a model's vendor price, compiled for lookups. */
export interface PriceVersion {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly aliases: readonly string[];
  readonly effectiveFromMs: number;
  /** Exclusive; Infinity when open. */
  readonly effectiveToMs: number;
  readonly contextTokensMax: number | undefined;
  readonly outputTokensMax: number | undefined;
  readonly dayParts: readonly [DayPart, ...DayPart[]];
}

const msPerMinute = 60_000;
const minutesPerDay = 24 * 60;

const compileCards = (terms: RateTerms, region: string | undefined, minute: number): Cards => {
  const cardOf = (serviceTier: string): RateCard =>
    compileCard(terms, { serviceTier, region, minute });
  const tiers = tiersNamed(terms);
  return {
    standard: cardOf(standardTier),
    byServiceTier: new Map(tiers.map((tier) => [tier, cardOf(tier)])),
  };
};

const compileDayPart = (terms: RateTerms, fromMinute: number): DayPart => {
  const regions = regionsNamed(terms);
  return {
    fromMinute,
    ...compileCards(terms, undefined, fromMinute),
    byRegion: new Map(regions.map((region) => [region, compileCards(terms, region, fromMinute)])),
  };
};

/** The day is cut wherever a window begins or ends, so that a part has no windows left. */
const compileDay = (terms: RateTerms): readonly [DayPart, ...DayPart[]] => {
  const minutes = new Set<number>();
  for (const { window } of terms.rates) if (window) minutes.add(window.from).add(window.to);
  minutes.delete(0);
  const later = [...minutes].sort((a, b) => a - b);
  return [compileDayPart(terms, 0), ...later.map((minute) => compileDayPart(terms, minute))];
};

/**
 * Resolves every condition, factor and fallback once, so that pricing a call is a few Map lookups.
 * Throws CorruptPriceBookError, or InvalidDecimalError, for rates that no writer of ours records.
 */
export const compilePriceVersion = (published: VendorPricePublished): PriceVersion => ({
  id: published.priceVersion,
  provider: published.provider,
  model: published.model,
  aliases: published.aliases ?? [],
  effectiveFromMs: Date.parse(published.effectiveFrom),
  effectiveToMs: published.effectiveTo === undefined ? Infinity : Date.parse(published.effectiveTo),
  contextTokensMax: published.contextTokensMax,
  outputTokensMax: published.outputTokensMax,
  dayParts: compileDay(parseTerms(published)),
});

const dayPartAt = (version: PriceVersion, at: Date): DayPart => {
  let part = version.dayParts[0];
  if (version.dayParts.length === 1) return part;
  const minute = Math.floor(at.getTime() / msPerMinute) % minutesPerDay;
  for (const candidate of version.dayParts) if (candidate.fromMinute <= minute) part = candidate;
  return part;
};

/**
 * US dollars for one unit of a meter at the standard tier, anywhere and at the lowest context step, unrounded to 60 digits;
 * undefined where the version has no such rate in that unit.
 */
export const standardRateUsd = (
  version: PriceVersion,
  meter: string,
  unit: string,
  at: Date,
): Money | undefined => {
  const rate = dayPartAt(version, at).standard[0].rates.get(meter);
  return rate?.unit === unit ? rate.unitUsd : undefined;
};

/** The cards of a moment in no region in particular. */
export const anywhereAt = (version: PriceVersion, at: Date): Cards => dayPartAt(version, at);

/** The cards of a moment in a region; undefined where the version names the region nowhere. */
export const cardsAt = (
  version: PriceVersion,
  region: string | undefined,
  at: Date,
): Cards | undefined => {
  const part = dayPartAt(version, at);
  const named = regionOf(region);
  return named === undefined ? part : part.byRegion.get(named);
};

/**
 * All that may price a call: the standard card and the tier's own, anywhere and in the region, at one moment or, without
 * one, at every time of day.
 */
export const cardsFor = (
  version: PriceVersion,
  serviceTier: string,
  region: string | undefined,
  at: Date | undefined,
): readonly RateCard[] => {
  const named = regionOf(region);
  const found: RateCard[] = [];
  for (const part of at ? [dayPartAt(version, at)] : version.dayParts) {
    addCards(found, part, serviceTier);
    const regional = named === undefined ? undefined : part.byRegion.get(named);
    if (regional) addCards(found, regional, serviceTier);
  }
  return found;
};

const addCards = (found: RateCard[], cards: Cards, serviceTier: string): void => {
  found.push(cards.standard);
  const own = cards.byServiceTier.get(serviceTier);
  if (own) found.push(own);
};
