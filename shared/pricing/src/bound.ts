import { Money, zero } from '@tollkeeper/kernel';
import { toStoredPlaces, unitsUsd, type UnpricedMeter } from './cost.js';
import { cardsFor, type PriceVersion } from './price-version.js';
import { stepAt, type RateCard, type RateStep } from './rate-card.js';
import { serviceTierOf } from './rate.js';

/** Limits of one call's text tokens. */
export interface CallBounds {
  readonly inputTokens: number;
  /** For each choice. */
  readonly outputTokens: number;
  readonly choices: number;
  /** As requested; a vendor may answer with the standard tier instead, so both are bounded. */
  readonly serviceTier?: string | undefined;
  /** Where the vendor will run it; it may run anywhere instead, so both are bounded. */
  readonly region?: string | undefined;
  /** When the request began; without it the dearest time of day counts. */
  readonly at?: Date | undefined;
}

const unpricedIn = (step: RateStep, bounds: CallBounds): UnpricedMeter | undefined => {
  if (!step.dearestInput && bounds.inputTokens > 0) {
    return { refused: 'unpriced-meter', meter: 'input' };
  }
  if (!step.dearestOutput && bounds.outputTokens > 0) {
    return { refused: 'unpriced-meter', meter: 'output' };
  }
  return undefined;
};

/** What a call costs without any output, at the most. */
const inputUsd = (step: RateStep, inputTokens: number): Money => {
  const input = step.dearestInput ? unitsUsd(step.dearestInput, inputTokens) : zero;
  return step.dearestCall ? input.plus(unitsUsd(step.dearestCall, 1)) : input;
};

const cardUsd = (step: RateStep, bounds: CallBounds, outputTokens: number): Money => {
  const input = inputUsd(step, bounds.inputTokens);
  if (!step.dearestOutput) return toStoredPlaces(input);
  return toStoredPlaces(input.plus(unitsUsd(step.dearestOutput, outputTokens * bounds.choices)));
};

const cardsOf = (version: PriceVersion, bounds: CallBounds): readonly RateCard[] =>
  cardsFor(version, serviceTierOf(bounds.serviceTier), bounds.region, bounds.at);

/**
 * The most that a text call within these bounds can cost: every input token at the dearest input-side
 * rate and every output token at the dearest output-side rate, over all context tiers within reach, with the
 * factors of the tier and region that are asked for and without.
 */
export const boundUsd = (version: PriceVersion, bounds: CallBounds): Money | UnpricedMeter => {
  let most: Money = zero;
  for (const card of cardsOf(version, bounds)) {
    const step = stepAt(card, bounds.inputTokens);
    const unpriced = unpricedIn(step, bounds);
    if (unpriced) return unpriced;
    const usd = cardUsd(step, bounds, bounds.outputTokens);
    if (usd.gt(most)) most = usd;
  }
  return most;
};

const affordableOn = (step: RateStep, bounds: CallBounds, budgetUsd: Money): number | undefined => {
  if (cardUsd(step, bounds, bounds.outputTokens).lte(budgetUsd)) return bounds.outputTokens;
  if (!step.dearestOutput || cardUsd(step, bounds, 0).gt(budgetUsd)) return undefined;
  const perTokenUsd = step.dearestOutput.unitUsd.times(bounds.choices);
  const leftUsd = budgetUsd.minus(inputUsd(step, bounds.inputTokens));
  let tokens = Money.min(leftUsd.div(perTokenUsd).floor(), bounds.outputTokens - 1).toNumber();
  // The quotient was rounded at 60 digits: one step either way makes it exact.
  while (tokens > 0 && cardUsd(step, bounds, tokens).gt(budgetUsd)) tokens -= 1;
  while (tokens + 1 < bounds.outputTokens && cardUsd(step, bounds, tokens + 1).lte(budgetUsd)) {
    tokens += 1;
  }
  return Math.max(tokens, 0);
};

/**
 * The largest output limit for each choice, up to `bounds.outputTokens`, whose bound is within the budget;
 * undefined where even no output at all is not, or the version cannot price such a call.
 */
export const affordableOutputTokens = (
  version: PriceVersion,
  bounds: CallBounds,
  budgetUsd: Money,
): number | undefined => {
  let most = bounds.outputTokens;
  for (const card of cardsOf(version, bounds)) {
    const step = stepAt(card, bounds.inputTokens);
    if (unpricedIn(step, bounds)) return undefined;
    const tokens = affordableOn(step, bounds, budgetUsd);
    if (tokens === undefined) return undefined;
    if (tokens < most) most = tokens;
  }
  return most;
};
