import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';

import { identifyProcess, type ProcessIdentity } from './process-identity.js';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LaunchedServer {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<ServerExit>;
  /** Undefined while it runs. */
  readonly exit: () => ServerExit | undefined;
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal does not reach it,
 * and with a file as its output, so that it survives the one who started it.
 */
export const launchServer = async (server: ServerCommand): Promise<LaunchedServer> => {
  const log = openSync(server.logFile, 'a', 0o600);
  try {
    const { command, args, logFile: _logFile, ...options } = server;
    const child = spawn(command, args, {
      ...options,
      detached: true,
      stdio: ['ignore', log, log],
    });
    let exit: ServerExit | undefined;
    const exited = new Promise<ServerExit>((resolve) => {
      child.once('exit', (code, signal) => {
        exit = { code, signal };
        resolve(exit);
      });
    });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    // A program that ended at once has no start time to read any more; its exit says the rest.
    const identity = identifyProcess(pid) ?? { pid, startedAt: 'ended' };
    return { identity, exited, exit: () => exit };
  } finally {
    closeSync(log);
  }
};

/** The last lines of a log: what a person needs to see when the program did not start. */
export const tailOf = async (logFile: string, bytes = 2_000): Promise<string> => {
  const file = await open(logFile, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
    return buffer.subarray(0, bytesRead).toString('utf8').trim();
  } finally {
    await file.close();
  }
};
