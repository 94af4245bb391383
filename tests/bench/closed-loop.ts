import { summarise, type LoopResult } from './loop-result.js';

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
  return summarise(latenciesMs, failed, options.measureMs);
};
