import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.js';

const OWNER = 'owner.json';

const prefixOf = (kind: string): string => `tollkeeper-${kind}-`;

/** A directory for as long as this process lives; what a killed one left is found by `abandoned`. */
export const makeEphemeralDirectory = async (kind: string): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), prefixOf(kind)));
  // Root's PostgreSQL runs as another user, who must get through; what lies inside is closed.
  await chmod(directory, 0o711);
  const owner = JSON.stringify(identifyProcess(process.pid));
  await writeFile(path.join(directory, OWNER), owner, { mode: 0o600 });
  return directory;
};

/** Hands each directory whose maker is dead to `clear`, then removes it. */
export const clearAbandoned = async (
  kind: string,
  clear: (directory: string) => Promise<void>,
): Promise<void> => {
  const names = await readdir(tmpdir());
  for (const name of names.filter((each) => each.startsWith(prefixOf(kind)))) {
    const directory = path.join(tmpdir(), name);
    if (!(await isAbandoned(directory))) continue;
    await clear(directory);
    await rm(directory, { recursive: true, force: true });
  }
};

const isAbandoned = async (directory: string): Promise<boolean> => {
  try {
    if ((await stat(directory)).uid !== process.getuid?.()) return false;
    const text = await readFile(path.join(directory, OWNER), 'utf8');
    return !isRunning(JSON.parse(text) as ProcessIdentity);
  } catch {
    // Being made, or being removed, by another run at this moment.
    return false;
  }
};
