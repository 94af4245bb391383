import { quantile } from '../support/quantile.js';

/** What a loop of callers did in a while. */
export interface LoopResult {
  readonly perSecond: number;
  readonly done: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sorts the latencies in place. */
export const summarise = (latenciesMs: number[], failed: number, measureMs: number): LoopResult => {
  latenciesMs.sort((a, b) => a - b);
  return {
    perSecond: (latenciesMs.length * 1000) / measureMs,
    done: latenciesMs.length,
    failed,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
};
