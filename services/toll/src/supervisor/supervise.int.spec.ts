import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identifyProcess, isRunning, type ProcessIdentity } from '@tollkeeper/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { homeAt, type Home } from '../home/home.js';
import { writeJson } from '../home/json-file.js';
import { readReadyFile, type Ready } from '../home/ready-file.js';
import { AlreadyRunningError } from '../home/run-file.js';
import type { ServiceDefinition, ServiceName } from './services.js';
import { supervise } from './supervise.js';

/** Says ready as @tollkeeper/lifecycle does, and prints what it was given. */
const STUB = `
  const { env } = process;
  process.on('SIGTERM', () => process.exit(0));
  console.log(JSON.stringify({ DATABASE_URL: env.DATABASE_URL, NATS_URL: env.NATS_URL,
    SIMULATOR_URL: env.SIMULATOR_URL, PORT: env.PORT, TOLLKEEPER_HOME: env.TOLLKEEPER_HOME }));
  setInterval(() => {}, 1000);
  process.send?.({ type: 'ready', ...(env.PORT ? { url: 'http://127.0.0.1:' + env.PORT } : {}) });
`;
const BROKEN = `console.error('no such table: events'); process.exit(3);`;

const demo = { accountId: 'demo', userId: 'somebody', apiKey: 'key' };

const given = {
  DATABASE_URL: 'postgres://given/database',
  NATS_URL: 'nats://operator:secret@127.0.0.1:1',
};

describe('the supervisor', { timeout: 120_000 }, () => {
  let directory: string;
  let home: Home;
  const running: { stop: AbortController; done: Promise<void> }[] = [];
  const lines: string[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'toll-supervise-'));
    // Root's PostgreSQL runs as another user, who must get through to keep its files in here.
    await chmod(directory, 0o711);
    home = homeAt(path.join(directory, 'home'));
    lines.length = 0;
    await writeFile(path.join(directory, 'stub.mjs'), STUB);
    await writeFile(path.join(directory, 'broken.mjs'), BROKEN);
  });

  afterEach(async () => {
    for (const { stop, done } of running.splice(0)) {
      stop.abort();
      await done.catch(() => undefined);
    }
    await rm(directory, { recursive: true });
  });

  const service = (
    name: ServiceName,
    more: Partial<ServiceDefinition> = {},
  ): ServiceDefinition => ({
    name,
    entry: path.join(directory, 'stub.mjs'),
    ...more,
  });

  const stages = (): readonly (readonly ServiceDefinition[])[] => [
    [service('simulator', { http: {} })],
    [service('credit', { natsUser: 'credit' })],
    [service('gateway', { natsUser: 'gateway', http: { firstPort: 18_787 } })],
  ];

  const start = async (env: NodeJS.ProcessEnv = given, what = stages()): Promise<Ready> => {
    const stop = new AbortController();
    return new Promise((resolve, reject) => {
      const done = supervise({
        home,
        env: { PATH: process.env['PATH'], ...env },
        log: (line) => lines.push(line),
        stages: what,
        seed: () => Promise.resolve(demo),
        stopRequested: stop.signal,
        onReady: resolve,
      });
      running.push({ stop, done });
      done.catch(reject);
    });
  };

  const stop = async (): Promise<void> => {
    const last = running.pop();
    last?.stop.abort();
    await last?.done;
  };

  const environmentOf = async (name: string): Promise<Record<string, string>> => {
    const log = await readFile(path.join(home.logs, `${name}.log`), 'utf8');
    return JSON.parse(log.trim().split('\n').at(-1) ?? '') as Record<string, string>;
  };

  const identitiesOf = ({ pids }: Ready): ProcessIdentity[] =>
    Object.entries(pids)
      .filter(([name]) => name !== 'supervisor')
      .map(([, pid]) => identifyProcess(pid))
      .filter((identity) => identity !== undefined);

  it('starts every service with its addresses, and says where in ready.json', async () => {
    const ready = await start();
    expect(readReadyFile(home.readyFile)).toEqual(ready);
    expect((await stat(home.readyFile)).mode & 0o777).toBe(0o600);
    expect(ready).toMatchObject({ ...demo, databaseUrl: given.DATABASE_URL, natsUser: 'operator' });
    expect(Object.keys(ready.pids)).toEqual(['supervisor', 'simulator', 'credit', 'gateway']);
    expect(await environmentOf('credit')).toMatchObject({
      ...given,
      TOLLKEEPER_HOME: home.directory,
    });
    expect(await environmentOf('gateway')).toMatchObject({ SIMULATOR_URL: ready.simulatorUrl });
  });

  it('stops them all, and takes ready.json and run.json away', async () => {
    const ready = await start();
    const identities = identitiesOf(ready);
    await stop();
    expect(identities).toHaveLength(3);
    expect(identities.filter(isRunning)).toEqual([]);
    await expect(stat(home.readyFile)).rejects.toThrow('ENOENT');
    await expect(stat(home.runFile)).rejects.toThrow('ENOENT');
  });

  it('starts a killed service again, on its port, and notes the new pid', async () => {
    const ready = await start();
    process.kill(ready.pids['gateway'] ?? 0, 'SIGKILL');
    await expect
      .poll(() => readReadyFile(home.readyFile)?.pids['gateway'], { timeout: 10_000 })
      .not.toBe(ready.pids['gateway']);
    expect(readReadyFile(home.readyFile)?.gatewayUrl).toBe(ready.gatewayUrl);
    expect(lines).toContain('gateway was ended by SIGKILL');
  });

  it('keeps ports across a restart of everything', async () => {
    const first = await start();
    await stop();
    const second = await start();
    expect(second.gatewayUrl).toBe(first.gatewayUrl);
    expect(second.simulatorUrl).toBe(first.simulatorUrl);
  });

  it('refuses a second supervisor of the same home, and leaves the first alone', async () => {
    const ready = await start();
    await expect(start()).rejects.toThrow(AlreadyRunningError);
    expect(readReadyFile(home.readyFile)).toEqual(ready);
    expect(identitiesOf(ready).every(isRunning)).toBe(true);
  });

  it('stops the services that a killed supervisor left', async () => {
    const leftOver = spawn(process.execPath, [path.join(directory, 'stub.mjs')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(leftOver.stdout, 'data');
    const exited = once(leftOver, 'exit');
    await mkdir(home.directory);
    writeJson(home.runFile, {
      supervisor: { pid: process.pid, startedAt: 'another time' },
      processes: { credit: identifyProcess(leftOver.pid ?? 0) },
    });
    await start();
    expect(await exited).toEqual([0, null]);
  });

  it('shows the end of the log when a service cannot start, and stops the others', async () => {
    const broken = service('credit', { entry: path.join(directory, 'broken.mjs') });
    const [first = []] = stages();
    await expect(start(given, [first, [broken]])).rejects.toThrow('no such table: events');
    await expect(stat(home.runFile)).rejects.toThrow('ENOENT');
  });

  it('can be stopped while it starts', async () => {
    await writeFile(path.join(directory, 'stub.mjs'), 'setInterval(() => {}, 1000);');
    const started = start();
    await expect.poll(() => lines).toContain('starting simulator');
    await stop();
    await Promise.race([started, Promise.resolve()]);
    await expect(stat(home.runFile)).rejects.toThrow('ENOENT');
  });

  it('runs its own servers, and starts a killed one again at the same address', async () => {
    const ready = await start({});
    for (const name of ['postgres', 'nats']) process.kill(ready.pids[name] ?? 0, 'SIGKILL');
    await expect
      .poll(() => readReadyFile(home.readyFile)?.pids, { timeout: 20_000 })
      .toSatisfy(
        (pids: Ready['pids']) =>
          pids['postgres'] !== ready.pids['postgres'] && pids['nats'] !== ready.pids['nats'],
      );
    const { databaseUrl, natsUrl } = readReadyFile(home.readyFile) ?? ready;
    expect({ databaseUrl, natsUrl }).toEqual({
      databaseUrl: ready.databaseUrl,
      natsUrl: ready.natsUrl,
    });
    expect((await environmentOf('credit'))['NATS_URL']).toContain('nats://credit:');
  });
});
