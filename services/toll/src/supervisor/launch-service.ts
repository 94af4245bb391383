import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { nodeFlags } from '@tollkeeper/lifecycle';
import {
  identifyProcess,
  politelyThenKill,
  stopProcess,
  tailOf,
  type ProcessIdentity,
  type ServerExit,
} from '@tollkeeper/servers';

import type { Instance } from './supervised.js';

export interface ServiceCommand {
  readonly name: string;
  /** The script that Node runs. */
  readonly entry: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Told right after the spawn, so that a killed supervisor leaves nothing unknown behind. */
  readonly onSpawned: (identity: ProcessIdentity) => void;
}

export interface ServiceInstance extends Instance {
  /** Where it serves, for those that serve HTTP. */
  readonly url: string | undefined;
}

const READY_TIMEOUT_MS = 60_000;
/** Longer than the limit that a service sets itself, see @tollkeeper/lifecycle. */
export const STOP_SERVICE = politelyThenKill(25_000);

/** Starts a service in a process group of its own and waits until it says that it is ready. */
export const launchService = async (
  command: ServiceCommand,
  signal: AbortSignal,
): Promise<ServiceInstance> => {
  const child = spawnService(command);
  const exited = exitOf(child);
  const pid = child.pid ?? 0;
  const identity = identifyProcess(pid) ?? { pid, startedAt: 'ended' };
  command.onSpawned(identity);
  const stop = async (): Promise<void> => {
    if (!(await stopProcess(identity, STOP_SERVICE)))
      throw new Error(`${command.name} does not stop`);
  };
  try {
    return { pid, exited, stop, url: await untilReady(child, exited, signal) };
  } catch (error) {
    await stop();
    if (signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}; the end of ${command.logFile}:\n${await tailOf(command.logFile)}`, {
      cause: error,
    });
  }
};

/** Its log is a file descriptor of its own: nothing of it passes through, or dies with, the supervisor. */
const spawnService = ({ entry, cwd, env, logFile }: ServiceCommand): ChildProcess => {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(process.execPath, [...nodeFlags, '--enable-source-maps', entry], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
};

const exitOf = (child: ChildProcess): Promise<ServerExit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
    child.once('error', () => {
      resolve({ code: null, signal: null });
    });
  });

interface ReadyMessage {
  readonly type: 'ready';
  readonly url?: string;
}

const isReady = (message: unknown): message is ReadyMessage =>
  typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';

/** The URL that it gives with its message, if any. */
const untilReady = async (
  child: ChildProcess,
  exited: Promise<ServerExit>,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const done = new AbortController();
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      const fail = (reason: string) => (): void => {
        reject(new Error(reason));
      };
      const tooLate = fail(`it was not ready within ${(READY_TIMEOUT_MS / 1000).toString()} s`);
      const timer = setTimeout(tooLate, READY_TIMEOUT_MS);
      done.signal.addEventListener('abort', () => {
        clearTimeout(timer);
      });
      signal.addEventListener('abort', fail('told to stop'), { signal: done.signal });
      child.on('message', (message) => {
        if (isReady(message)) resolve(message.url);
      });
      void exited.then(({ code, signal: by }) => {
        fail(`it ended at once (${by ?? String(code)})`)();
      });
    });
  } finally {
    done.abort();
  }
};
