import { isRunning } from '@tollkeeper/servers';

import type { Home } from '../home/home.js';
import { readReadyFile } from '../home/ready-file.js';
import { readRunFile } from '../home/run-file.js';

export interface Status {
  readonly state: 'running' | 'starting' | 'killed' | 'stopped';
  readonly gatewayUrl?: string;
  /** Of what runs at this moment. */
  readonly pids: Readonly<Record<string, number>>;
}

export const statusOf = (home: Home): Status => {
  const run = readRunFile(home.runFile);
  if (!run) return { state: 'stopped', pids: {} };
  const alive = Object.entries(run.processes).filter(([, identity]) => isRunning(identity));
  const pids = Object.fromEntries(alive.map(([name, { pid }]) => [name, pid]));
  if (!isRunning(run.supervisor)) return { state: 'killed', pids };
  const ready = readReadyFile(home.readyFile);
  const all = { supervisor: run.supervisor.pid, ...ready?.pids, ...pids };
  return ready
    ? { state: 'running', gatewayUrl: ready.gatewayUrl, pids: all }
    : { state: 'starting', pids: all };
};
