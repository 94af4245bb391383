import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** True as soon as the condition holds; false when it still does not at the deadline. */
export const waitUntil = async (
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, intervalMs = 20 }: Patience,
): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await sleep(intervalMs);
  }
};
