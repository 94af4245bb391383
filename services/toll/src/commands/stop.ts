import { rmSync } from 'node:fs';

import { isRunning, waitUntil, type Log } from '@tollkeeper/servers';

import { CommandError } from '../command-error.js';
import type { Home } from '../home/home.js';
import { readRunFile } from '../home/run-file.js';
import { stopLeftOvers } from '../supervisor/left-overs.js';
import { STOP_TIMEOUT_MS } from '../supervisor/supervise.js';

/** True when there was something to stop. Without a living supervisor, what it left is stopped from here. */
export const stopPlatform = async (home: Home, log: Log): Promise<boolean> => {
  const state = readRunFile(home.runFile);
  if (state && isRunning(state.supervisor)) {
    const { supervisor } = state;
    log(`stopping Tollkeeper (pid ${supervisor.pid.toString()})`);
    process.kill(supervisor.pid, 'SIGTERM');
    if (await waitUntil(() => !isRunning(supervisor), { timeoutMs: STOP_TIMEOUT_MS })) return true;
    throw new CommandError('does-not-stop', `pid ${supervisor.pid.toString()} does not stop`);
  }
  await stopLeftOvers(home, state, log);
  rmSync(home.runFile, { force: true });
  rmSync(home.readyFile, { force: true });
  return state !== undefined;
};
