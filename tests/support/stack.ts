import { execFile, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CreditAccountEvent } from '@tollkeeper/events';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import { waitUntil } from '@tollkeeper/servers';
import { eventsOf } from './account-stream.js';
import { root } from './root.js';

const toll = join(root, 'services/toll/dist/main.js');

/** What `npm start` writes for scripts when it is ready. */
export interface Ready {
  readonly gatewayUrl: string;
  readonly apiKey: string;
  readonly accountId: string;
  readonly userId: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly kurrentdbUrl?: string;
  readonly simulatorUrl: string;
  readonly pids: Readonly<Record<string, number>>;
}

export interface OpenedAccount {
  readonly accountId: string;
  readonly apiKey: string;
}

export interface Shell {
  /** Runs the CLI as its user would; the JSON that it printed. */
  readonly toll: <T>(...args: string[]) => Promise<T>;
  /** The CLI's exit code and what it printed, whatever came. */
  readonly tollRaw: (
    ...args: string[]
  ) => Promise<{ code: number; stdout: string; stderr: string }>;
}

export interface Stack extends Shell {
  readonly home: string;
  /** As of now: a restarted service has another pid. */
  readonly ready: () => Ready;
  /** Another shell of the same installation, with more in its environment. */
  readonly shell: (env: NodeJS.ProcessEnv) => Shell;
  readonly openAccount: (grantCredits: string) => Promise<OpenedAccount>;
  readonly eventsOf: (accountId: string) => Promise<CreditAccountEvent[]>;
  readonly simulator: (behaviour: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const run = promisify(execFile);

const shellWith = (env: NodeJS.ProcessEnv): Shell => {
  const tollRaw: Shell['tollRaw'] = async (...args) => {
    try {
      const done = await run(process.execPath, [toll, ...args], {
        env,
        maxBuffer: 256 * 1024 * 1024,
      });
      return { code: 0, ...done };
    } catch (error) {
      const failed = error as { code?: number; stdout?: string; stderr?: string };
      return { code: failed.code ?? 1, stdout: failed.stdout ?? '', stderr: failed.stderr ?? '' };
    }
  };
  return {
    tollRaw,
    toll: async <T>(...args: string[]): Promise<T> => {
      const { code, stdout, stderr } = await tollRaw(...args, '--json');
      if (code !== 0) throw new Error(`toll ${args.join(' ')}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
  };
};

/** The whole product as `npm start` runs it, in a home of its own and on free ports. */
export const startStack = async (env: NodeJS.ProcessEnv = {}): Promise<Stack> => {
  const home = await mkdtemp(join(tmpdir(), 'tollkeeper-e2e-'));
  const log = openSync(join(home, 'start.log'), 'a');
  const environment = { ...process.env, ...env, TOLLKEEPER_HOME: home, LOG_LEVEL: 'info' };
  const supervisor = spawn(process.execPath, [toll, 'start'], {
    env: environment,
    stdio: ['ignore', log, log],
  });
  const ended = new Promise<number | null>((resolve) => supervisor.once('exit', resolve));
  const readyFile = join(home, 'ready.json');
  await waitUntil(() => existsSync(readyFile) || supervisor.exitCode !== null, {
    timeoutMs: 90_000,
  });
  if (!existsSync(readyFile)) {
    supervisor.kill('SIGKILL');
    throw new Error(`not ready:\n${await readFile(join(home, 'start.log'), 'utf8')}`);
  }
  const ready = (): Ready => JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;

  const shell = (more: NodeJS.ProcessEnv): Shell => shellWith({ ...environment, ...more });
  const { toll: tollJson, tollRaw } = shell({});

  let store: EventStore | undefined;
  return {
    home,
    ready,
    shell,
    toll: tollJson,
    tollRaw,
    openAccount: (grant) => tollJson('account', 'open', '--tier', 'pro', '--grant', grant),
    eventsOf: async (accountId) => {
      const { databaseUrl, kurrentdbUrl } = ready();
      const opened = (store ??= await openEventStore({
        databaseUrl,
        kurrentdbUrl,
        applicationName: 'e2e',
      }));
      const read = (): Promise<CreditAccountEvent[]> => eventsOf(opened, accountId);
      // After a kill of the database the first look may meet a connection that is dead.
      return read().catch(read);
    },
    simulator: async (behaviour) => {
      const url = `${ready().simulatorUrl}/sim/behaviour`;
      await fetch(url, { method: 'DELETE' });
      const body = JSON.stringify(behaviour);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'PUT', body, headers });
      if (!answer.ok) throw new Error(`the simulator refused: ${await answer.text()}`);
    },
    stop: async () => {
      await store?.close();
      supervisor.kill('SIGTERM');
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
};
