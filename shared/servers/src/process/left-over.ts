import { readFile } from 'node:fs/promises';

import { commandLineOf, identifyProcess, type ProcessIdentity } from './process-identity.js';

export interface LeftOver extends ProcessIdentity {
  /** False for a stranger that was given the pid after ours had died. */
  readonly ours: boolean;
}

/**
 * The running process that a server's own pid file names. It is ours when its command line names the
 * directory that it serves; undefined when nothing runs under that pid.
 */
export const findLeftOver = async (
  pidFile: string,
  directory: string,
): Promise<LeftOver | undefined> => {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const identity = identifyProcess(Number.parseInt(text, 10));
  if (!identity) return undefined;
  const words = ` ${commandLineOf(identity.pid) ?? ''} `;
  return { ...identity, ours: words.includes(` ${directory} `) };
};
