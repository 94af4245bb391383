import type { MultiplierLevel, UsagePools, VendorRate } from '@tollkeeper/events';
import { formatMoney, InvalidDecimalError } from '@tollkeeper/kernel';
import {
  chargeFor,
  compilePriceVersion,
  CorruptPriceBookError,
  creditsToUsd,
  isUnpriced,
  lineCostUsd,
  priceUsage,
  type PricedUsage,
} from '@tollkeeper/pricing';
import { readAnswer, type AnswerReading } from '@tollkeeper/usage';

import type { CostQuestion, Id } from './cost-question.js';
import type { PriceSource, SourcedPrice } from './price-source.js';
import { isRefusedLine, refuse, type RefusedLine } from './refusal.js';
import type { Terms } from './terms.js';

/** Money is decimal text: US dollars in `…Usd` and in `cost`, credits in `…Credits`. */
export interface CostAnswer {
  readonly id?: Id;
  readonly pools: UsagePools;
  readonly vendorCostUsd: string;
  /** By meter; the parts of `vendorCostUsd`. */
  readonly cost: Readonly<Record<string, string>>;
  readonly priceVersion: string;
  readonly multiplier: string;
  readonly multiplierRule: string;
  readonly multiplierLevel: MultiplierLevel;
  readonly chargeCredits: string;
  readonly chargeUsd: string;
  readonly model: string;
  readonly serviceTier?: string;
  readonly region?: string;
  readonly provenance: string;
  readonly reportedCostUsd?: string;
  readonly flags?: readonly string[];
}

type Reading = Extract<AnswerReading, { kind: 'reported' }>;

const missingReasons = {
  absent: 'missing-usage',
  'not-believable': 'unbelievable-usage',
  'several-models': 'several-models',
} as const;

/** Given pools are the caller's word; an answer whose figures contradict each other is not priced. */
const readingOf = ({ usage }: CostQuestion): Reading | RefusedLine => {
  if ('pools' in usage) {
    return {
      kind: 'reported',
      pools: usage.pools,
      contradictions: [],
      notes: [],
      provenance: 'exact',
      model: undefined,
      serviceTier: usage.serviceTier,
    };
  }
  const reading = readAnswer(usage.api, usage.response, usage.exact);
  if (reading.kind === 'missing') return refuse(missingReasons[reading.why], reading.message);
  if (reading.contradictions.length === 0) return reading;
  return refuse('contradictory-usage', reading.contradictions.join('; '));
};

const inlinePrice = (
  { provider, at }: CostQuestion,
  model: string,
  rates: readonly VendorRate[],
): SourcedPrice | RefusedLine => {
  try {
    const version = compilePriceVersion({
      priceVersion: 'inline',
      provider,
      model,
      effectiveFrom: at.toISOString(),
      rates: [...rates],
      source: { name: 'inline' },
    });
    return { version, flags: [] };
  } catch (error) {
    const faulty = error instanceof CorruptPriceBookError || error instanceof InvalidDecimalError;
    if (faulty) return refuse('invalid-rates', error.message);
    throw error;
  }
};

/**
 * The model that answered is what is billed. One that the book does not know is priced as the model that was asked
 * for, and flagged.
 */
const bookPrice = (
  question: CostQuestion,
  answered: string | undefined,
  source: PriceSource,
): SourcedPrice | RefusedLine => {
  const { provider, model: asked, at } = question;
  const priceOf = (model: string | undefined) =>
    model === undefined ? undefined : source.priceAt(provider, model, at);
  const own = priceOf(answered ?? asked);
  if (!own) return refuse('invalid-line', 'neither the line nor the answer names a model');
  if (answered === undefined || asked === undefined || answered === asked) {
    return 'refused' in own ? refuse(own.refused, own.message) : own;
  }
  const expected = priceOf(asked);
  const expectable = expected && !('refused' in expected) ? expected : undefined;
  if ('refused' in own) {
    return expectable
      ? { ...expectable, flags: [...expectable.flags, 'answered-model-unpriced'] }
      : refuse(own.refused, own.message);
  }
  const mismatch = expectable !== undefined && expectable.version.model !== own.version.model;
  return mismatch ? { ...own, flags: [...own.flags, 'model-mismatch'] } : own;
};

const priceOf = (
  question: CostQuestion,
  answered: string | undefined,
  source: PriceSource,
): SourcedPrice | RefusedLine => {
  if (!question.rates) return bookPrice(question, answered, source);
  const model = answered ?? question.model;
  if (model === undefined) {
    return refuse('invalid-line', 'neither the line nor the answer names a model');
  }
  return inlinePrice(question, model, question.rates);
};

const costByMeter = ({ lines }: PricedUsage): Record<string, string> =>
  Object.fromEntries(lines.map((line) => [line.meter, formatMoney(lineCostUsd(line))]));

const flagsOf = (reading: Reading, price: SourcedPrice, priced: PricedUsage): string[] => {
  const { reportedCostUsd } = reading;
  const differs =
    reportedCostUsd !== undefined && reportedCostUsd !== formatMoney(priced.costUsd)
      ? ['reported-cost-differs']
      : [];
  return [...reading.notes, ...price.flags, ...priced.flags, ...differs];
};

/** What one call cost, and what it is charged. */
export const answerCost = (
  question: CostQuestion,
  source: PriceSource,
  terms: Terms,
): CostAnswer | RefusedLine => {
  const { at, id, tier } = question;
  const reading = readingOf(question);
  if (isRefusedLine(reading)) return reading;
  const price = priceOf(question, reading.model, source);
  if (isRefusedLine(price)) return price;
  const { version } = price;
  const { serviceTier, region = question.region } = reading;
  const priced = priceUsage(version, reading.pools, { serviceTier, region, at });
  if (isUnpriced(priced)) {
    return refuse('unpriced-meter', `${version.id} has no rate for ${priced.meter}`);
  }
  const { provider, model } = version;
  const rule = terms.multipliers.multiplierFor({ provider, model, tier }, at);
  const policy = terms.credits.policyAt(at);
  if (!rule || !policy)
    return refuse('no-terms', `no multiplier or credit value at ${at.toISOString()}`);
  const charge = chargeFor([{ costUsd: priced.costUsd, multiplier: rule.multiplier }], policy);
  const flags = flagsOf(reading, price, priced);
  return {
    ...(id === undefined ? {} : { id }),
    pools: reading.pools,
    vendorCostUsd: formatMoney(charge.vendorCostUsd),
    cost: costByMeter(priced),
    priceVersion: version.id,
    multiplier: formatMoney(rule.multiplier),
    multiplierRule: rule.ruleId,
    multiplierLevel: rule.level,
    chargeCredits: formatMoney(charge.chargeCredits),
    chargeUsd: formatMoney(creditsToUsd(charge.chargeCredits, policy)),
    model,
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(region === undefined ? {} : { region }),
    provenance: reading.provenance,
    ...(reading.reportedCostUsd === undefined ? {} : { reportedCostUsd: reading.reportedCostUsd }),
    ...(flags.length === 0 ? {} : { flags }),
  };
};
