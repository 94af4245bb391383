import { amountOf, type Demand, type Limit } from './model-limits.js';
import type { ModelBounds } from './model-prices.js';

interface Counter {
  readonly serial: number;
  /** The latest that it was asked or counted at: time that goes back a minute at most counts as that. */
  second: number;
  counts: { readonly second: number; readonly amount: bigint }[];
}

/** Calls and tokens of the last minute, by the second: a second's are counted until sixty whole ones have gone by. */
export class ModelRates {
  private readonly counters = new Map<string, Counter>();

  clone(): ModelRates {
    const copy = new ModelRates();
    for (const [id, { serial, second, counts }] of this.counters) {
      copy.counters.set(id, { serial, second, counts: [...counts] });
    }
    return copy;
  }

  /** As the owner's memory is, after a restart. */
  lose(): void {
    this.counters.clear();
  }

  refusal(limits: readonly Limit[], asked: Demand, nowMs: number): string | undefined {
    for (const limit of limits) {
      const needed = asked[limit.unit];
      if (needed === 0n) continue;
      if (needed > amountOf(limit)) return 'limit-reached';
      const counter = this.counterOf(limit);
      if (counter && usedIn(counter, nowMs) + needed > amountOf(limit)) return 'rate-limited';
    }
    return undefined;
  }

  /** The output of each choice that rates of tokens leave beside the input; undefined where there are none. */
  outputLeft(
    limits: readonly Limit[],
    { inputTokens, choices = 1 }: ModelBounds,
    nowMs: number,
  ): number | undefined {
    let left: bigint | undefined;
    for (const limit of limits) {
      if (limit.unit !== 'tokens') continue;
      const counter = this.counterOf(limit);
      const free = amountOf(limit) - (counter ? usedIn(counter, nowMs) : 0n) - BigInt(inputTokens);
      if (left === undefined || free < left) left = free;
    }
    return left === undefined ? undefined : Number(left / BigInt(choices));
  }

  count(limits: readonly Limit[], taken: Demand, nowMs: number): void {
    for (const limit of limits) {
      const counter = this.counterOf(limit) ?? { serial: limit.serial, second: 0, counts: [] };
      this.counters.set(limit.limitId, counter);
      usedIn(counter, nowMs);
      counter.counts.push({ second: counter.second, amount: taken[limit.unit] });
    }
  }

  private counterOf({ limitId, serial }: Limit): Counter | undefined {
    const counter = this.counters.get(limitId);
    return counter?.serial === serial ? counter : undefined;
  }
}

const usedIn = (counter: Counter, nowMs: number): bigint => {
  const second = Math.floor(nowMs / 1000);
  if (second < counter.second - 60) {
    // The clock was wrong, and nobody knows when what it counted was.
    counter.counts = [];
    counter.second = second;
  }
  counter.second = Math.max(counter.second, second);
  return counter.counts
    .filter(({ second }) => second >= counter.second - 60)
    .reduce((sum, { amount }) => sum + amount, 0n);
};
