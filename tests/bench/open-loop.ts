import { summarise, type LoopResult } from './loop-result.js';

/**
 * Requests at a fixed rate, whether or not the earlier ones have been answered. A latency counts from the
 * moment that the request was due, so that a stall is not hidden by what it kept from being sent.
 */
export const openLoop = async (
  options: { readonly perSecond: number; readonly warmUpMs: number; readonly measureMs: number },
  work: (round: number) => Promise<void>,
): Promise<LoopResult> => {
  const latenciesMs: number[] = [];
  const pending: Promise<void>[] = [];
  let failed = 0;
  const begun = performance.now();
  const from = begun + options.warmUpMs;
  const until = from + options.measureMs;
  for (let round = 0; ; round++) {
    const dueAt = begun + (round * 1000) / options.perSecond;
    if (dueAt >= until) break;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // A timer may fire a fraction of a millisecond early.
    const countsFrom = Math.min(dueAt, performance.now());
    pending.push(
      work(round).then(
        () => {
          if (dueAt >= from) latenciesMs.push(performance.now() - countsFrom);
        },
        () => {
          failed++;
        },
      ),
    );
  }
  await Promise.all(pending);
  return summarise(latenciesMs, failed, options.measureMs);
};
