import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';

import { silent, type Log } from '../log.js';
import { freePort, isPortFree, portMemory } from '../process/free-port.js';
import { findLeftOver } from '../process/left-over.js';
import {
  launchServer,
  tailOf,
  type LaunchedServer,
  type ServerExit,
} from '../process/launch-server.js';
import { politelyThenKill, stopProcess } from '../process/stop-process.js';
import { waitUntil } from '../process/wait-until.js';
import { findNatsServer, isAtLeast, type NatsServerBinary } from './nats-binary.js';

/** The users of infra/nats/nats-server.conf. */
export const NATS_USERS = [
  'gateway',
  'credit',
  'pricing',
  'projection',
  'platform',
  'operator',
] as const;
export type NatsUser = (typeof NATS_USERS)[number];

export interface NatsOptions {
  /** Holds the JetStream store, port, log and the configuration as it was used. */
  readonly dataDir: string;
  /** Password by user. Each must start with a letter, as newSecret's do. */
  readonly users: Readonly<Record<NatsUser, string>>;
  /** Wished; another one is chosen when it is busy. */
  readonly port?: number;
  readonly configFile?: string;
  readonly cacheDir?: string;
  readonly log?: Log;
}

export interface RunningNats {
  /** With that user's credentials. */
  readonly url: (user: NatsUser) => string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  readonly exited: Promise<ServerExit>;
  readonly stop: () => Promise<void>;
}

const DEFAULT_CONFIG = path.join(import.meta.dirname, '../../../../infra/nats/nats-server.conf');
const ATTEMPTS_MAX = 5;
const READY_TIMEOUT_MS = 30_000;
const STOP = politelyThenKill(10_000);

/** A nats-server with JetStream of our own on 127.0.0.1; one left behind in the same directory is stopped first. */
export const startNats = async (options: NatsOptions): Promise<RunningNats> => {
  const { log = silent, users } = options;
  const dataDir = path.resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const binary = await findNatsServer(options);
  const config = await renderConfig(options.configFile ?? DEFAULT_CONFIG, dataDir, binary, log);
  await stopLeftOverNats(dataDir, log);
  const memory = portMemory(path.join(dataDir, 'port'));

  let wished = options.port ?? (await memory.recall());
  for (let attempt = 1; ; attempt += 1) {
    const port = wished !== undefined && (await isPortFree(wished)) ? wished : await freePort();
    const server = await launch({ binary, config, dataDir, port, users });
    if (await untilReady(server, port)) {
      await memory.remember(port);
      return running(server, { port, users, version: binary.version.text });
    }
    await stopProcess(server.identity, STOP);
    if (attempt === ATTEMPTS_MAX) {
      throw new Error(`nats-server did not start:\n${await tailOf(logFileIn(dataDir))}`);
    }
    // Someone took the port between the look and the bind.
    wished = undefined;
  }
};

export const storeDirIn = (dataDir: string): string => path.join(dataDir, 'store');
const logFileIn = (dataDir: string): string => path.join(dataDir, 'nats-server.log');
const pidFileIn = (dataDir: string): string => path.join(dataDir, 'nats-server.pid');

export const stopLeftOverNats = async (dataDir: string, log: Log): Promise<void> => {
  const pidFile = pidFileIn(dataDir);
  const leftOver = await findLeftOver(pidFile, pidFile);
  if (!leftOver?.ours) return;
  log(`stopping the nats-server that was left running (pid ${leftOver.pid.toString()})`);
  await stopProcess(leftOver, STOP);
};

const running = (
  server: LaunchedServer,
  { port, users, version }: { port: number; version: string } & Pick<NatsOptions, 'users'>,
): RunningNats => ({
  url: (user) => `nats://${user}:${users[user]}@127.0.0.1:${port.toString()}`,
  port,
  version,
  pid: server.identity.pid,
  exited: server.exited,
  stop: async () => {
    if (await stopProcess(server.identity, STOP)) return;
    throw new Error(`nats-server (pid ${server.identity.pid.toString()}) does not stop`);
  },
});

/** Servers before 2.10 refuse a configuration that holds a setting they do not know. */
const renderConfig = async (
  source: string,
  dataDir: string,
  { version }: NatsServerBinary,
  log: Log,
): Promise<string> => {
  const text = await readFile(source, 'utf8');
  const knowsSync = isAtLeast(version, { major: 2, minor: 10 });
  if (!knowsSync) {
    log(
      `nats-server ${version.text} has no sync_interval: its streams are fsynced every two minutes`,
    );
  }
  const target = path.join(dataDir, 'nats-server.conf');
  await writeFile(target, knowsSync ? text : text.replace(/^\s*sync_interval:.*\n/m, ''));
  return target;
};

interface Launch extends Pick<NatsOptions, 'users' | 'dataDir'> {
  readonly binary: NatsServerBinary;
  readonly config: string;
  readonly port: number;
}

const launch = ({ binary, config, dataDir, port, users }: Launch): Promise<LaunchedServer> => {
  const passwords = NATS_USERS.map(
    (user) => [`${user.toUpperCase()}_NATS_PASSWORD`, users[user]] as const,
  );
  const address = ['--addr', '127.0.0.1', '--port', port.toString()];
  return launchServer({
    command: binary.path,
    args: ['--config', config, ...address, '--pid', pidFileIn(dataDir)],
    cwd: dataDir,
    logFile: logFileIn(dataDir),
    env: {
      PATH: process.env['PATH'],
      NATS_STORE_DIR: JSON.stringify(storeDirIn(dataDir)),
      ...Object.fromEntries(passwords),
    },
  });
};

const untilReady = async (server: LaunchedServer, port: number): Promise<boolean> => {
  const answered = (): Promise<boolean> => greets(port);
  await waitUntil(async () => server.exit() !== undefined || (await answered()), {
    timeoutMs: READY_TIMEOUT_MS,
  });
  return server.exit() === undefined && (await answered());
};

/** nats-server speaks first, and only once JetStream has recovered its streams. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const answer = (greeted: boolean) => (): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', (chunk) => {
      answer(chunk.toString('latin1').startsWith('INFO '))();
    });
    socket.once('error', answer(false));
    socket.once('timeout', answer(false));
    socket.once('close', answer(false));
  });
