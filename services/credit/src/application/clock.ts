/** Wall time, watched against the monotonic clock. */
export interface Clock {
  readonly now: () => Date;
  /** False once wall and monotonic time have parted: expiry pauses until the process is restarted or they agree. */
  readonly isSteady: () => boolean;
}

const driftMaxMs = 5_000;

export const systemClock = (): Clock => {
  const offsetMs = Date.now() - performance.now();
  return {
    now: () => new Date(),
    isSteady: () => Math.abs(Date.now() - performance.now() - offsetMs) < driftMaxMs,
  };
};
