import { chown, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Log } from '../log.js';
import { runCommand } from '../process/run-command.js';
import { newSecret } from '../process/secret.js';
import type { Cluster } from './cluster.js';

export const SUPERUSER = 'tollkeeper';

/** The password of SUPERUSER, made at first use and kept in the data directory, readable by us alone. */
export const clusterPassword = async ({ dataDir }: Cluster): Promise<string> => {
  const file = path.join(dataDir, 'password');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const password = newSecret();
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
};

export interface InitOptions {
  readonly native: string;
  readonly password: string;
  readonly durable: boolean;
  readonly walSegmentMb: number | undefined;
  readonly log: Log;
}

/** Makes the cluster unless it is there. One that was cut short leaves no `data` and is made again. */
export const initCluster = async (cluster: Cluster, options: InitOptions): Promise<void> => {
  if (await stat(path.join(cluster.pgdata, 'PG_VERSION')).catch(() => undefined)) return;
  options.log(`creating the database files in ${cluster.pgdata}`);
  const work = await mkdtemp(path.join(cluster.directory, 'init-'));
  try {
    if (cluster.user) await chown(work, cluster.user.uid, cluster.user.gid);
    await runInitdb(cluster, work, options);
    await rm(cluster.pgdata, { recursive: true, force: true });
    await rename(path.join(work, 'data'), cluster.pgdata);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

const runInitdb = async (cluster: Cluster, work: string, options: InitOptions): Promise<void> => {
  const pwfile = path.join(work, 'password');
  await writeFile(pwfile, `${options.password}\n`, { mode: 0o600 });
  if (cluster.user) await chown(pwfile, cluster.user.uid, cluster.user.gid);
  const args = [
    ...['--pgdata', path.join(work, 'data'), '--username', SUPERUSER, '--pwfile', pwfile],
    ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'],
    ...(options.durable ? [] : ['--no-sync']),
    ...(options.walSegmentMb ? [`--wal-segsize=${options.walSegmentMb.toString()}`] : []),
  ];
  const { code, output } = await runCommand(path.join(options.native, 'bin', 'initdb'), args, {
    cwd: work,
    env: { PATH: process.env['PATH'], TZ: 'UTC', LC_ALL: 'C' },
    timeoutMs: 120_000,
    ...cluster.user,
  });
  if (code !== 0) throw new Error(`initdb failed: ${output}`);
};
