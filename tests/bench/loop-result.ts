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
  const at = (share: number): number =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? NaN;
  return {
    perSecond: (latenciesMs.length * 1000) / measureMs,
    done: latenciesMs.length,
    failed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
};
