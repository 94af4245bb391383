/** What one closed loop of callers did in a while. */
export interface LoopResult {
  readonly perSecond: number;
  readonly done: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoopOptions {
  readonly callers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/**
 * Callers that each do one piece of work after the other. Closed loop: says what the system can do, not
 * how it answers at a fixed rate.
 */
export const closedLoop = async (
  options: LoopOptions,
  /** `isOver` lets work that may take for ever give up when nobody measures it any more. */
  work: (caller: number, round: number, isOver: () => boolean) => Promise<void>,
): Promise<LoopResult> => {
  const latenciesMs: number[] = [];
  let failed = 0;
  const from = performance.now() + options.warmUpMs;
  const until = from + options.measureMs;
  const isOver = (): boolean => performance.now() >= until;
  const caller = async (place: number): Promise<void> => {
    for (let round = 0; ; round++) {
      const started = performance.now();
      if (started >= until) return;
      try {
        await work(place, round, isOver);
      } catch {
        if (started >= from && !isOver()) failed++;
        continue;
      }
      const ended = performance.now();
      if (started >= from && ended <= until) latenciesMs.push(ended - started);
    }
  };
  await Promise.all(Array.from({ length: options.callers }, (_, place) => caller(place)));
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? NaN;
  return {
    perSecond: (latenciesMs.length * 1000) / options.measureMs,
    done: latenciesMs.length,
    failed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
};
