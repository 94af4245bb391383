/** How a subscription's loop waits. */
export interface Sleeper {
  /** Until woken, or for so long. */
  readonly sleep: (ms?: number) => Promise<void>;
  /** For so long; only the end cuts it short. */
  readonly rest: (ms: number) => Promise<void>;
  readonly wake: () => void;
  readonly end: () => void;
}

export const createSleeper = (): Sleeper => {
  let resolve: (() => void) | undefined;
  let wakeable = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(timer);
    resolve?.();
    resolve = undefined;
  };
  const pause = (ms: number | undefined, canBeWoken: boolean): Promise<void> =>
    new Promise((settled) => {
      if (ended) {
        settled();
        return;
      }
      wakeable = canBeWoken;
      resolve = settled;
      if (ms !== undefined) timer = setTimeout(settle, ms);
    });
  return {
    sleep: (ms) => pause(ms, true),
    rest: (ms) => pause(ms, false),
    wake: () => {
      if (wakeable) settle();
    },
    end: () => {
      ended = true;
      settle();
    },
  };
};
