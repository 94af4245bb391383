import { access, chmod, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Log } from '../log.js';
import { runCommand } from '../process/run-command.js';

const PACKAGE = 'nats-server';
const NETWORK = ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1'];

/**
 * Debian's and Ubuntu's package, unpacked into the directory rather than installed: that takes no
 * root and leaves the system as it is. apt itself verifies the signature.
 */
export const downloadFromDebian = async (directory: string, log: Log): Promise<void> => {
  await access('/var/lib/dpkg/status').catch((cause: unknown) => {
    throw new Error('this is not Debian or Ubuntu', { cause });
  });
  const work = path.join(directory, 'apt');
  await mkdir(work);
  log(`fetching the system's ${PACKAGE} package with apt-get (it is unpacked, not installed)`);
  const withSystemLists = await download(work, []);
  if (withSystemLists !== undefined) await downloadWithOwnLists(work, log);
  await unpack(work, directory);
  await rm(work, { recursive: true });
};

/** What went wrong, or undefined. */
const download = async (work: string, options: readonly string[]): Promise<string | undefined> => {
  const args = [...NETWORK, ...options, '-q', 'download', PACKAGE];
  const { code, output } = await runCommand('apt-get', args, { cwd: work, timeoutMs: 180_000 });
  return code === 0 ? undefined : output;
};

/** Slim images ship without package lists, and only root may fetch the system's. */
const downloadWithOwnLists = async (work: string, log: Log): Promise<void> => {
  const [state, cache] = [path.join(work, 'state'), path.join(work, 'cache')];
  await mkdir(path.join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(path.join(cache, 'archives', 'partial'), { recursive: true });
  const own = [
    `Dir::State=${state}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${cache}`,
    // As root, apt would download as the user _apt, who cannot get in here.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  log('fetching the package lists first (apt-get update into a private directory)');
  const update = [...NETWORK, ...own, '-q', 'update'];
  const { code, output } = await runCommand('apt-get', update, { cwd: work, timeoutMs: 180_000 });
  if (code !== 0) throw new Error(`apt-get update: ${output}`);
  const failure = await download(work, own);
  if (failure !== undefined) throw new Error(`apt-get download: ${failure}`);
};

const unpack = async (work: string, directory: string): Promise<void> => {
  const file = (await readdir(work)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error('apt-get download left no package');
  const tree = path.join(work, 'tree');
  const { code, output } = await runCommand('dpkg-deb', ['-x', path.join(work, file), tree]);
  if (code !== 0) throw new Error(`dpkg-deb: ${output}`);
  const program = path.join(directory, 'nats-server');
  await copyFile(path.join(tree, 'usr', 'sbin', 'nats-server'), program);
  await chmod(program, 0o755);
};
