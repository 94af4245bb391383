import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { SYSTEM_DIRECTORY } from '../directories.js';
import { canWrite, isRoot, serverUser, type OsUser } from './os-user.js';

/** Where the files of one PostgreSQL cluster lie, and who runs it. */
export interface Cluster {
  /** Ours: password, port, log and the pointer. */
  readonly dataDir: string;
  /** The server user's. Below dataDir unless that user cannot get there. */
  readonly directory: string;
  readonly pgdata: string;
  readonly logFile: string;
  /** Undefined: ourselves. */
  readonly user: OsUser | undefined;
}

const POINTER = 'location';

/**
 * Root's home is closed to the user that PostgreSQL runs as. The cluster then lies below
 * SYSTEM_DIRECTORY under a random name that only the pointer in dataDir knows, so that deleting
 * dataDir means a fresh start.
 */
export const locateCluster = async (dataDir: string): Promise<Cluster> => {
  const near = path.join(dataDir, 'cluster');
  const at = (directory: string, user?: OsUser): Cluster => ({
    dataDir,
    directory,
    pgdata: path.join(directory, 'data'),
    logFile: path.join(dataDir, 'postgres.log'),
    user,
  });
  await mkdir(dataDir, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  if (!isRoot()) {
    await mkdir(near, { recursive: true, mode: 0o700 });
    return at(near);
  }
  const known = await readPointer(dataDir);
  const user = (await ownerOf(known ?? near)) ?? (await serverUser());
  const directory = known ?? (await chooseDirectory(dataDir, near, user));
  await give(user, directory);
  return at(directory, user);
};

/** Removes what lies outside dataDir as well. */
export const removeCluster = async ({ dataDir, directory }: Cluster): Promise<void> => {
  await rm(directory, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
};

/** Root may start what an ordinary user made, or a cluster from before the user `postgres` came. */
const ownerOf = async (directory: string): Promise<OsUser | undefined> => {
  const found = await stat(directory).catch(() => undefined);
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
};

const chooseDirectory = async (dataDir: string, near: string, user: OsUser): Promise<string> => {
  await give(user, near);
  if (await canWrite(user, near)) return near;
  await rm(near, { recursive: true });
  const far = path.join(SYSTEM_DIRECTORY, `data-${randomBytes(8).toString('hex')}`);
  await writeFile(path.join(dataDir, POINTER), `${far}\n`, { mode: 0o600 });
  return far;
};

const readPointer = async (dataDir: string): Promise<string | undefined> => {
  const text = await readFile(path.join(dataDir, POINTER), 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
};

const give = async (user: OsUser, directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await chown(directory, user.uid, user.gid);
  await chmod(directory, 0o700);
};
