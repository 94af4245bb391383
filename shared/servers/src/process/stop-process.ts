import { isRunning, type ProcessIdentity } from './process-identity.js';
import { waitUntil } from './wait-until.js';

export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly graceMs: number;
}

/** What any program gets that has no better way to be told. */
export const politelyThenKill = (graceMs: number): readonly StopStep[] => [
  { signal: 'SIGTERM', graceMs },
  { signal: 'SIGKILL', graceMs: 5_000 },
];

/** True when the process is gone. Never signals another process that was given the same pid. */
export const stopProcess = async (
  identity: ProcessIdentity,
  steps: readonly StopStep[],
): Promise<boolean> => {
  for (const { signal, graceMs } of steps) {
    if (!isRunning(identity)) return true;
    trySignal(identity.pid, signal);
    if (await waitUntil(() => !isRunning(identity), { timeoutMs: graceMs })) return true;
  }
  return !isRunning(identity);
};

const trySignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It died in between, which is what was asked for.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
