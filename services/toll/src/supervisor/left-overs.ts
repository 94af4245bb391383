import { isRunning, stopLeftOverServers, stopProcess, type Log } from '@tollkeeper/servers';

import type { Home } from '../home/home.js';
import type { RunState } from '../home/run-file.js';
import { STOP_SERVICE } from './launch-service.js';

/** Stops what a killed supervisor left running, last started first: each may need the ones before it. */
export const stopLeftOvers = async (
  home: Home,
  previous: RunState | undefined,
  log: Log,
): Promise<void> => {
  for (const [name, identity] of Object.entries(previous?.processes ?? {}).reverse()) {
    if (!isRunning(identity)) continue;
    log(`stopping ${name}, which was left running (pid ${identity.pid.toString()})`);
    await stopProcess(identity, STOP_SERVICE);
  }
  await stopLeftOverServers(home, log);
};
