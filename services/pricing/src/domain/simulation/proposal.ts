import type { ChargedAttempt } from '@tollkeeper/contracts';
import type { MultiplierScope, UsagePools } from '@tollkeeper/events';
import { formatMoney } from '@tollkeeper/kernel';
import {
  callMeter,
  isUnpriced,
  priceUsage,
  ratesFor,
  scopeName,
  type PriceBook,
  type PriceVersion,
  type Rate,
} from '@tollkeeper/pricing';
import { NestedMap } from './nested-map.js';
import { toScaled } from './scaled.js';

export interface ProposedMultiplier {
  readonly scope: MultiplierScope;
  /** Decimal text. */
  readonly multiplier: string;
}

/** What an attempt would cost; the meter that the price does not have otherwise. */
export type Repriced = { readonly costUsd: bigint } | { readonly unpriced: string };

/** From the most specific on, as the cascade of the price book asks. */
const scopesOf = (provider: string, model: string, tier: string): readonly string[] => [
  `provider:${provider},model:${model},tier:${tier}`,
  `provider:${provider},model:${model}`,
  `model:${model}`,
  `provider:${provider}`,
  `tier:${tier}`,
  'default',
];

const unitsScaled = new WeakMap<Rate, bigint>();

/** 10⁻³⁰ US dollars for one unit; undefined where that does not terminate. */
const unitScaled = (rate: Rate): bigint | undefined => {
  if (!rate.exact) return undefined;
  let unit = unitsScaled.get(rate);
  if (unit === undefined) unitsScaled.set(rate, (unit = toScaled(formatMoney(rate.unitUsd))));
  return unit;
};

/** Without the call itself, which is a line where the version that was charged had a rate for it. */
const poolsOf = ({ lines }: ChargedAttempt): Record<string, number> => {
  const pools: Record<string, number> = {};
  for (const [meter, quantity] of lines) {
    if (meter !== callMeter || quantity !== '1') pools[meter] = Number(quantity);
  }
  return pools;
};

/** Multipliers and vendor prices that are tried on recorded calls as if they had been in force. */
export class Proposal {
  readonly #multipliers = new Map<string, bigint>();
  readonly #versions = new Map<string, readonly PriceVersion[]>();
  /** By recorded rule, model, provider and tier: there are few of them, and nothing to join for each call. */
  readonly #found = new NestedMap<bigint | undefined>();

  constructor(
    multipliers: readonly ProposedMultiplier[],
    versions: readonly PriceVersion[],
    private readonly book: Pick<PriceBook, 'rule'>,
  ) {
    for (const { scope, multiplier } of multipliers) {
      this.#multipliers.set(scopeName(scope), toScaled(multiplier));
    }
    for (const version of versions) {
      const others = this.#versions.get(version.model) ?? [];
      this.#versions.set(version.model, [...others, version]);
    }
  }

  /** The proposed multiplier, where it is at least as specific as the rule that the attempt was charged by. */
  multiplierFor(attempt: ChargedAttempt, tier: string): bigint | undefined {
    if (this.#multipliers.size === 0) return undefined;
    const { provider, model, multiplierRule } = attempt;
    return this.#found.get([multiplierRule, model, provider, tier], () =>
      this.#findMultiplier(attempt, tier),
    );
  }

  versionFor({ provider, model }: ChargedAttempt): PriceVersion | undefined {
    return this.#versions.get(model)?.find((version) => version.provider === provider);
  }

  #findMultiplier(attempt: ChargedAttempt, tier: string): bigint | undefined {
    const { provider, model, multiplierRule } = attempt;
    const rule = this.book.rule(multiplierRule);
    const recorded = rule ? scopeName(rule.scope) : 'default';
    for (const scope of scopesOf(provider, model, tier)) {
      const proposed = this.#multipliers.get(scope);
      if (proposed !== undefined) return proposed;
      if (scope === recorded) return undefined;
    }
    return undefined;
  }
}

/** The attempt's usage at another version, as `priceUsage` prices it. */
export const reprice = (attempt: ChargedAttempt, version: PriceVersion, at: Date): Repriced => {
  if (attempt.provenance === 'unknown') return { unpriced: 'usage' };
  const pools = poolsOf(attempt);
  const conditions = { serviceTier: attempt.serviceTier, region: attempt.region, at };
  const rateOf = ratesFor(version, pools, conditions);
  let costUsd = 0n;
  for (const [meter, quantity] of attempt.lines) {
    if (!(meter in pools)) continue;
    const rate = rateOf(meter);
    if (!rate) return { unpriced: meter };
    const unit = unitScaled(rate);
    if (unit === undefined) return repriceSlowly(version, pools, conditions);
    costUsd += unit * BigInt(quantity);
  }
  const perCall = pools[callMeter] === undefined ? rateOf(callMeter) : undefined;
  if (!perCall) return { costUsd };
  const unit = unitScaled(perCall);
  return unit === undefined
    ? repriceSlowly(version, pools, conditions)
    : { costUsd: costUsd + unit };
};

/** Where a rate does not terminate: with the rounding of stored places. */
const repriceSlowly = (
  version: PriceVersion,
  pools: UsagePools,
  conditions: Parameters<typeof priceUsage>[2],
): Repriced => {
  const priced = priceUsage(version, pools, conditions);
  return isUnpriced(priced)
    ? { unpriced: priced.meter }
    : { costUsd: toScaled(formatMoney(priced.costUsd)) };
};
