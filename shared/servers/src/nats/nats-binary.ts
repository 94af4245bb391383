import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { cacheDirectory, firstWritable, isErrno } from '../directories.js';
import { silent, type Log } from '../log.js';
import { runCommand } from '../process/run-command.js';
import { downloadFromDebian } from './debian-package.js';
import { downloadRelease } from './release-download.js';

export interface NatsServerBinary {
  readonly path: string;
  readonly version: NatsVersion;
}

export interface NatsVersion {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

export interface FindOptions {
  /** Where an installed one is kept; by default the user's cache, else the project's. */
  readonly cacheDir?: string;
  readonly log?: Log;
  readonly env?: NodeJS.ProcessEnv;
}

/** Puts an executable `nats-server` into the directory, or throws with the reason. */
export type NatsSource = (directory: string, log: Log) => Promise<void>;

const PROGRAM = 'nats-server';
/** Debian's package puts it where an ordinary user's PATH does not look. */
const SYSTEM_DIRECTORIES = ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin'];
/** The first version that passed all of the feature checks (JetStream, inbox permissions, headers). */
const OLDEST = { major: 2, minor: 9 };

const SOURCES: ReadonlyMap<string, NatsSource> = new Map([
  ['release download', downloadRelease],
  ['Debian package', downloadFromDebian],
]);

/** On PATH, else in the cache, else installed into the cache; throws what to do when none of it works. */
export const findNatsServer = async (options: FindOptions = {}): Promise<NatsServerBinary> => {
  const { log = silent, env = process.env } = options;
  const onPath = [...(env['PATH'] ?? '').split(path.delimiter), ...SYSTEM_DIRECTORIES];
  const cacheDir = await chooseCache(options);
  const home = path.join(cacheDir, `${PROGRAM}-${process.platform}-${process.arch}`);
  return (
    (await firstThatRuns([...onPath.filter((each) => path.isAbsolute(each)), home])) ??
    install(home, log)
  );
};

const chooseCache = async ({ cacheDir, env = process.env }: FindOptions): Promise<string> => {
  const project = path.join(import.meta.dirname, '../../../../node_modules/.cache/tollkeeper');
  const candidates = cacheDir === undefined ? [cacheDirectory(env), project] : [cacheDir];
  const found = await firstWritable(candidates);
  if (found !== undefined) return found;
  throw new Error(
    `no directory to keep ${PROGRAM} in: ${candidates.join(' or ')} must be writable`,
  );
};

const firstThatRuns = async (
  directories: readonly string[],
): Promise<NatsServerBinary | undefined> => {
  for (const directory of new Set(directories)) {
    const file = path.join(directory, PROGRAM);
    const version = await versionOf(file);
    if (version) return { path: file, version };
  }
  return undefined;
};

export const parseVersion = (output: string): NatsVersion | undefined => {
  const [, text, major, minor] = /v?((\d+)\.(\d+)\.\d+\S*)/.exec(output) ?? [];
  return text && major && minor ? { text, major: Number(major), minor: Number(minor) } : undefined;
};

export const isAtLeast = (
  version: Pick<NatsVersion, 'major' | 'minor'>,
  wanted: Pick<NatsVersion, 'major' | 'minor'>,
): boolean =>
  version.major > wanted.major || (version.major === wanted.major && version.minor >= wanted.minor);

const versionOf = async (file: string): Promise<NatsVersion | undefined> => {
  const { code, output } = await runCommand(file, ['--version'], { timeoutMs: 10_000 });
  const version = code === 0 ? parseVersion(output) : undefined;
  return version && isAtLeast(version, OLDEST) ? version : undefined;
};

const install = async (home: string, log: Log): Promise<NatsServerBinary> => {
  const reasons: string[] = [];
  for (const [name, source] of SOURCES) {
    try {
      return await installFrom(source, home, log);
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(whatToDo(reasons));
};

/** Two runs may install at once: each works aside, and the first to finish is kept. */
const installFrom = async (
  source: NatsSource,
  home: string,
  log: Log,
): Promise<NatsServerBinary> => {
  const work = await mkdtemp(`${home}.`);
  try {
    await source(work, log);
    await chmod(work, 0o755);
    if (!(await versionOf(path.join(work, PROGRAM))))
      throw new Error('what was fetched does not run');
    if (!(await firstThatRuns([home]))) await rm(home, { recursive: true, force: true });
    await rename(work, home).catch((error: unknown) => {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const installed = await firstThatRuns([home]);
  if (!installed) throw new Error(`${home} does not run`);
  log(`installed ${PROGRAM} ${installed.version.text} in ${home}`);
  return installed;
};

const whatToDo = (reasons: readonly string[]): string =>
  [
    `${PROGRAM} was not found and could not be installed.`,
    ...reasons.map((reason) => `  - ${reason}`),
    'Do one of these, then start again:',
    `  - put ${PROGRAM} 2.10 or newer on PATH: \`sudo apt-get install nats-server\`, \`brew install nats-server\`,`,
    '    or a release from https://github.com/nats-io/nats-server/releases',
    '  - set NATS_URL to a running server that was started with infra/nats/nats-server.conf',
  ].join('\n');
