import { callMeter, textMeters } from './meter.js';
import type { Rate } from './rate.js';
import { metersNamed, type RateTerms } from './rate-terms.js';
import { rateOf, type Conditions } from './resolve-rate.js';

/** The rates of a request whose total input is greater than `inputTokensOver`. */
export interface RateStep {
  /** -1 on the first step, which every request reaches. */
  readonly inputTokensOver: number;
  readonly rates: ReadonlyMap<string, Rate>;
  /** The dearest of this step and those below; undefined where one of them leaves `input` unpriced. */
  readonly dearestInput: Rate | undefined;
  readonly dearestOutput: Rate | undefined;
  readonly dearestCall: Rate | undefined;
}

/** The steps of one service tier in one region at one time of day, by rising threshold. */
export type RateCard = readonly [RateStep, ...RateStep[]];

const dearer = (a: Rate | undefined, b: Rate | undefined): Rate | undefined => {
  if (!a || !b) return a ?? b;
  return b.unitUsd.gt(a.unitUsd) ? b : a;
};

/** Undefined where the first of the meters, the plain one, has no rate. */
const dearestOf = (
  rates: ReadonlyMap<string, Rate>,
  meters: readonly [string, ...string[]],
): Rate | undefined =>
  rates.has(meters[0])
    ? meters.reduce<Rate | undefined>((best, meter) => dearer(best, rates.get(meter)), undefined)
    : undefined;

/** What a higher step adds to the dearest below it; neither is known where one of them is not. */
const dearerAbove = (below: Rate | undefined, own: Rate | undefined): Rate | undefined =>
  below && own ? dearer(below, own) : undefined;

const compileStep = (
  terms: RateTerms,
  conditions: Conditions,
  below: RateStep | undefined,
): RateStep => {
  const byMeter = new Map<string, Rate>();
  const meters = [...textMeters.input, ...textMeters.output, ...metersNamed(terms)];
  for (const meter of new Set(meters)) {
    const rate = rateOf(terms, meter, conditions);
    if (rate) byMeter.set(meter, rate);
  }
  const input = dearestOf(byMeter, textMeters.input);
  const output = dearestOf(byMeter, textMeters.output);
  return {
    inputTokensOver: conditions.inputTokensOver,
    rates: byMeter,
    dearestInput: below ? dearerAbove(below.dearestInput, input) : input,
    dearestOutput: below ? dearerAbove(below.dearestOutput, output) : output,
    dearestCall: dearer(below?.dearestCall, byMeter.get(callMeter)),
  };
};

export const compileCard = (
  terms: RateTerms,
  where: Omit<Conditions, 'inputTokensOver'>,
): RateCard => {
  const thresholds = [...new Set(terms.rates.map((rate) => rate.inputTokensOver))]
    .filter((over) => over >= 0)
    .sort((a, b) => a - b);
  let below = compileStep(terms, { ...where, inputTokensOver: -1 }, undefined);
  const card: [RateStep, ...RateStep[]] = [below];
  for (const inputTokensOver of thresholds) {
    below = compileStep(terms, { ...where, inputTokensOver }, below);
    card.push(below);
  }
  return card;
};

/** The highest step whose threshold the total input exceeds. */
export const stepAt = (card: RateCard, inputTokens: number): RateStep => {
  let reached = card[0];
  for (const step of card) {
    if (step.inputTokensOver >= inputTokens) break;
    reached = step;
  }
  return reached;
};
