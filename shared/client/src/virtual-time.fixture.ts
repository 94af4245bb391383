import { vi } from 'vitest';

/** Timers and clocks stand still but for `elapse`, so that a slow machine changes nothing. */
export const stopTime = (): void => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
};

export const resumeTime = (): void => {
  vi.useRealTimers();
};

/** Lets time pass until the promise settles. */
export const elapse = async <T>(promise: Promise<T>): Promise<T> => {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  promise.then(settle, settle);
  while (!state.settled) await vi.advanceTimersByTimeAsync(1);
  return promise;
};
