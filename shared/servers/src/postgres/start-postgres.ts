import { rm } from 'node:fs/promises';
import path from 'node:path';

import { silent, type Log } from '../log.js';
import { findLeftOver } from '../process/left-over.js';
import {
  launchServer,
  tailOf,
  type LaunchedServer,
  type ServerExit,
} from '../process/launch-server.js';
import { freePort, isPortFree, portMemory } from '../process/free-port.js';
import { stopProcess, type StopStep } from '../process/stop-process.js';
import { waitUntil } from '../process/wait-until.js';
import { locateCluster, type Cluster } from './cluster.js';
import { createDatabase, ping } from './database.js';
import { clusterPassword, initCluster, SUPERUSER } from './init-cluster.js';
import { findNative } from './native.js';

export interface PostgresOptions {
  /** Holds password, port, log, and the cluster itself or a pointer to it. */
  readonly dataDir: string;
  /** Wished; another one is chosen when it is busy. */
  readonly port?: number;
  /** False gives up crash safety for speed: tests only. */
  readonly durable?: boolean;
  /** Of a cluster that is made; PostgreSQL's 16 unless given. */
  readonly walSegmentMb?: number;
  /** Told the cluster's directory before each launch; what it adds to the server's environment. For tests of the disk. */
  readonly prepare?: (pgdata: string) => Promise<NodeJS.ProcessEnv>;
  readonly log?: Log;
}

export interface RunningPostgres {
  /** With credentials, of a superuser, for the database `tollkeeper`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  /** Ends client sessions, writes a checkpoint, exits; harmless when it is not running any more. */
  readonly stop: () => Promise<void>;
}

const ATTEMPTS_MAX = 5;
const READY_TIMEOUT_MS = 60_000;

/** SIGINT is PostgreSQL's fast shutdown; SIGQUIT gives up the checkpoint but still no data. */
const FAST_SHUTDOWN: readonly StopStep[] = [
  { signal: 'SIGINT', graceMs: 20_000 },
  { signal: 'SIGQUIT', graceMs: 5_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];

/**
 * A PostgreSQL server of our own on 127.0.0.1. One that a killed launcher left behind in the same
 * data directory is stopped first, so the caller must be the only one who uses that directory.
 */
export const startPostgres = async (options: PostgresOptions): Promise<RunningPostgres> => {
  const { durable = true, walSegmentMb, log = silent } = options;
  const cluster = await locateCluster(path.resolve(options.dataDir));
  const native = await findNative(cluster.user, log);
  const password = await clusterPassword(cluster);
  await stopLeftOverPostgres(cluster, log);
  await initCluster(cluster, { native, password, durable, walSegmentMb, log });
  const environment = await options.prepare?.(cluster.pgdata);
  const memory = portMemory(path.join(cluster.dataDir, 'port'));
  const urlAt = (port: number): string =>
    `postgres://${SUPERUSER}:${password}@127.0.0.1:${port.toString()}/postgres`;

  let wished = options.port ?? (await memory.recall());
  for (let attempt = 1; ; attempt += 1) {
    const port = wished !== undefined && (await isPortFree(wished)) ? wished : await freePort();
    const server = await launch(cluster, native, { port, durable, environment });
    const failure = await untilReady(server, urlAt(port));
    if (failure === undefined) {
      await memory.remember(port);
      return running(server, port, await createDatabase(urlAt(port), SUPERUSER));
    }
    await stopProcess(server.identity, FAST_SHUTDOWN);
    if (attempt === ATTEMPTS_MAX) {
      throw new Error(`PostgreSQL did not start: ${failure}\n${await tailOf(cluster.logFile)}`);
    }
    // Someone took the port, or sessions of a killed predecessor still hold its shared memory.
    wished = undefined;
    await waitUntil(() => false, { timeoutMs: 500 * attempt });
  }
};

const running = (server: LaunchedServer, port: number, url: string): RunningPostgres => ({
  url,
  port,
  pid: server.identity.pid,
  exited: server.exited,
  stop: async () => {
    if (await stopProcess(server.identity, FAST_SHUTDOWN)) return;
    throw new Error(`PostgreSQL (pid ${server.identity.pid.toString()}) does not stop`);
  },
});

export const stopLeftOverPostgres = async ({ pgdata }: Cluster, log: Log): Promise<void> => {
  const pidFile = path.join(pgdata, 'postmaster.pid');
  const leftOver = await findLeftOver(pidFile, pgdata);
  if (leftOver?.ours) {
    log(`stopping the PostgreSQL that was left running (pid ${leftOver.pid.toString()})`);
    await stopProcess(leftOver, FAST_SHUTDOWN);
  }
  // PostgreSQL clears up a dead one's file itself, but a stranger under its pid would stop it for ever.
  if (leftOver && !leftOver.ours) await rm(pidFile, { force: true });
};

interface Launch {
  readonly port: number;
  readonly durable: boolean;
  readonly environment: NodeJS.ProcessEnv | undefined;
}

const launch = (
  cluster: Cluster,
  native: string,
  { port, durable, environment }: Launch,
): Promise<LaunchedServer> => {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: port.toString(),
    // A directory of sockets would need a path that is short and that both users can reach.
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: durable ? '256MB' : '128MB',
    max_wal_size: '2GB',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
  return launchServer({
    command: path.join(native, 'bin', 'postgres'),
    args: [
      '-D',
      cluster.pgdata,
      ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    cwd: cluster.pgdata,
    logFile: cluster.logFile,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...environment },
    ...cluster.user,
  });
};

/** What went wrong, or undefined when it answers. */
const untilReady = async (server: LaunchedServer, url: string): Promise<string | undefined> => {
  let lastError = '';
  const answered = async (): Promise<boolean> => {
    try {
      await ping(url);
      return true;
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error);
      return false;
    }
  };
  const patience = { timeoutMs: READY_TIMEOUT_MS, intervalMs: 25 };
  await waitUntil(async () => server.exit() !== undefined || (await answered()), patience);
  const exit = server.exit();
  if (exit) return `it ended with ${exit.signal ?? String(exit.code)}`;
  return (await answered()) ? undefined : lastError;
};
