import { fork, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags } from '@tollkeeper/lifecycle';
import { root } from './root.js';

export interface ServiceProcess {
  readonly pid: number;
  readonly url: string | undefined;
  readonly exited: Promise<void>;
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Starts one built service as a process of its own and waits until it says that it is ready. */
export const startService = async (
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly logFile?: string; readonly nodeFlags?: readonly string[] } = {},
): Promise<ServiceProcess> => {
  const log = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const child = fork(join(root, 'services', name, 'dist/main.js'), {
    env: { ...process.env, ...env },
    execArgv: [...nodeFlags, ...(options.nodeFlags ?? [])],
    stdio: ['ignore', log, log, 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await untilReady(child, name);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} has no pid`);
  return { pid, url: ready.url, exited, stop: (signal = 'SIGTERM') => stopped(child, signal) };
};

const untilReady = (child: ChildProcess, name: string): Promise<{ url?: string }> =>
  new Promise((resolve, reject) => {
    child.on('message', (message) => resolve(message as { url?: string }));
    child.on('exit', (code) => reject(new Error(`${name} ended with code ${String(code)}`)));
  });

const stopped = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill(signal);
  });
