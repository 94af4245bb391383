import { access, constants, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where root keeps what another user must reach: every ancestor is open to all on any Unix. */
export const SYSTEM_DIRECTORY = '/var/lib/tollkeeper';

/** Downloads of this user, shared by all his clones; XDG_CACHE_HOME is honoured. */
export const cacheDirectory = (env: NodeJS.ProcessEnv = process.env): string => {
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] ?? homedir(), '.cache');
  return path.join(base, 'tollkeeper');
};

/** The first directory that exists or can be made, and can be written; undefined when none can. */
export const firstWritable = async (
  directories: readonly string[],
): Promise<string | undefined> => {
  for (const directory of directories) {
    try {
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK | constants.X_OK);
      return directory;
    } catch {
      // A service user's home is often absent or read-only: the next one is tried.
    }
  }
  return undefined;
};

export const isErrno = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
