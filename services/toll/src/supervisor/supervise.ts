import { rmSync } from 'node:fs';

import { isRunning, waitUntil } from '@tollkeeper/servers';

import { makeHome } from '../home/home.js';
import type { Ready } from '../home/ready-file.js';
import { AlreadyRunningError, runRecorder, takeRunFile } from '../home/run-file.js';
import { stopLeftOvers } from './left-overs.js';
import { Platform, type PlatformOptions } from './platform.js';

/** As long as every service may take for itself, one after the other. */
export const STOP_TIMEOUT_MS = 120_000;

export interface SuperviseOptions extends Omit<PlatformOptions, 'onSpawned'> {
  /** Aborted when everything shall stop. */
  readonly stopRequested: AbortSignal;
  readonly onReady: (ready: Ready) => void;
}

/**
 * Runs the whole platform until it is told to stop, then stops it; rejects when it could not start.
 * @throws AlreadyRunningError while another supervisor has this home.
 */
export const supervise = async (options: SuperviseOptions): Promise<void> => {
  const { home, log, stopRequested } = options;
  await makeHome(home);
  const { own, previous } = await takeOver(options);
  const recorder = runRecorder(home.runFile, own);
  stopRequested.addEventListener('abort', recorder.markStopping);
  try {
    rmSync(home.readyFile, { force: true });
    await stopLeftOvers(home, previous, log);
    await runUntilStopped(new Platform({ ...options, onSpawned: recorder.record }), options);
  } finally {
    stopRequested.removeEventListener('abort', recorder.markStopping);
    recorder.release();
  }
  log('everything is stopped');
};

/** One that is stopping is waited for; one that runs is left alone. */
const takeOver = async ({
  home,
  log,
}: SuperviseOptions): Promise<ReturnType<typeof takeRunFile>> => {
  try {
    return takeRunFile(home.runFile);
  } catch (error) {
    if (!(error instanceof AlreadyRunningError && error.holder.stopping)) throw error;
    const { supervisor } = error.holder;
    log(`waiting for the supervisor that is stopping (pid ${supervisor.pid.toString()})`);
    await waitUntil(() => !isRunning(supervisor), { timeoutMs: STOP_TIMEOUT_MS });
    return takeRunFile(home.runFile);
  }
};

const runUntilStopped = async (
  platform: Platform,
  { stopRequested, onReady }: SuperviseOptions,
): Promise<void> => {
  // A stop during the start ends the services that are still starting, which makes start() reject.
  const stopped = once(stopRequested).then(() => platform.stop());
  try {
    onReady(await platform.start(stopRequested));
  } catch (error) {
    if (!stopRequested.aborted) {
      await platform.stop();
      throw error;
    }
  }
  await stopped;
};

const once = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener('abort', () => {
        resolve();
      });
  });
