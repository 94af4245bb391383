import type { VendorPricePublished } from '@tollkeeper/events';
import type { Money } from '@tollkeeper/kernel';
import {
  compileCard,
  parseRate,
  standardTier,
  type ConditionalRate,
  type RateCard,
} from './rate-card.js';

/** From `fromMinute` of the UTC day to the next part's. */
interface DayPart {
  readonly fromMinute: number;
  readonly standard: RateCard;
  readonly byServiceTier: ReadonlyMap<string, RateCard>;
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

const compileDayPart = (rates: readonly ConditionalRate[], fromMinute: number): DayPart => {
  const byServiceTier = new Map<string, RateCard>();
  for (const { serviceTier } of rates) {
    if (serviceTier !== standardTier && !byServiceTier.has(serviceTier)) {
      byServiceTier.set(serviceTier, compileCard(rates, serviceTier, fromMinute));
    }
  }
  return { fromMinute, standard: compileCard(rates, standardTier, fromMinute), byServiceTier };
};

/** The day is cut wherever a window begins or ends, so that a part has no windows left. */
const compileDay = (rates: readonly ConditionalRate[]): readonly [DayPart, ...DayPart[]] => {
  const minutes = new Set<number>();
  for (const { window } of rates) if (window) minutes.add(window.from).add(window.to);
  minutes.delete(0);
  const later = [...minutes].sort((a, b) => a - b);
  return [compileDayPart(rates, 0), ...later.map((minute) => compileDayPart(rates, minute))];
};

/**
 * Resolves every condition and fallback once, so that pricing a call is a few Map lookups.
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
  dayParts: compileDay(published.rates.map(parseRate)),
});

const dayPartAt = (version: PriceVersion, at: Date): DayPart => {
  let part = version.dayParts[0];
  if (version.dayParts.length === 1) return part;
  const minute = Math.floor(at.getTime() / msPerMinute) % minutesPerDay;
  for (const candidate of version.dayParts) if (candidate.fromMinute <= minute) part = candidate;
  return part;
};

export const standardCardAt = (version: PriceVersion, at: Date): RateCard =>
  dayPartAt(version, at).standard;

/**
 * US dollars for one unit of a meter at the standard tier and the lowest context step, unrounded to 60 digits;
 * undefined where the version has no such rate in that unit.
 */
export const standardRateUsd = (
  version: PriceVersion,
  meter: string,
  unit: string,
  at: Date,
): Money | undefined => {
  const rate = standardCardAt(version, at)[0].rates.get(meter);
  return rate?.unit === unit ? rate.unitUsd : undefined;
};

/** The card of a service tier at a moment; undefined where the version has none for the tier. */
export const cardAt = (
  version: PriceVersion,
  serviceTier: string,
  at: Date,
): RateCard | undefined => {
  const part = dayPartAt(version, at);
  return serviceTier === standardTier ? part.standard : part.byServiceTier.get(serviceTier);
};

/** The standard card and the tier's own, at one moment or, without one, at every time of day. */
export const cardsFor = (
  version: PriceVersion,
  serviceTier: string,
  at: Date | undefined,
): readonly RateCard[] => {
  const cards: RateCard[] = [];
  for (const part of at ? [dayPartAt(version, at)] : version.dayParts) {
    cards.push(part.standard);
    const own = part.byServiceTier.get(serviceTier);
    if (own) cards.push(own);
  }
  return cards;
};
