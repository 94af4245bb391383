import { access, chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isRunning, identifyProcess } from '../process/process-identity.js';
import { locateCluster, removeCluster } from './cluster.js';
import { createDatabase, databaseUrl } from './database.js';
import { isRoot } from './os-user.js';
import { startPostgres, type RunningPostgres } from './start-postgres.js';

const query = async (url: string, sql: string): Promise<unknown> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
};

describe('an embedded PostgreSQL', { timeout: 120_000 }, () => {
  let parent: string;
  let dataDir: string;
  const started: RunningPostgres[] = [];

  const start = async (): Promise<RunningPostgres> => {
    const server = await startPostgres({ dataDir, durable: false });
    started.push(server);
    return server;
  };

  beforeEach(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'toll pg '));
    await chmod(parent, 0o711);
    dataDir = path.join(parent, 'postgres');
  });

  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    await removeCluster(await locateCluster(dataDir));
    await rm(parent, { recursive: true });
  });

  it('keeps data, password and port across a restart', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toBe(42);
  });

  it('admits nobody without the password, which only we can read', async () => {
    const server = await start();
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
    expect((await stat(path.join(dataDir, 'password'))).mode & 0o777).toBe(0o600);
    expect(await query(server.url, 'show listen_addresses')).toBe('127.0.0.1');
    expect(await query(server.url, 'show unix_socket_directories')).toBe('');
  });

  it('stops the one that a dead launcher left in the same directory', async () => {
    const leftOver = await start();
    const server = await start();
    await leftOver.exited;
    expect(server.port).toBe(leftOver.port);
    expect(await query(server.url, 'select 1')).toBe(1);
  });

  it('comes back after kill -9 of the postmaster, sessions open', async () => {
    const first = await start();
    const session = new pg.Client({ connectionString: first.url });
    session.on('error', () => undefined);
    await session.connect();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start();
    expect(await query(second.url, 'select 1')).toBe(1);
    await session.end().catch(() => undefined);
  });

  it('starts although a stranger has the pid that its lock file names', async () => {
    const first = await start();
    await first.stop();
    const { pgdata } = await locateCluster(dataDir);
    await writeFile(path.join(pgdata, 'postmaster.pid'), `${process.pid.toString()}\n${pgdata}\n`);
    expect(await query((await start()).url, 'select 1')).toBe(1);
  });

  it('starts afresh when its directory was deleted', async () => {
    const first = await start();
    await query(first.url, 'create table gone as select 1');
    await first.stop();
    await removeCluster(await locateCluster(dataDir));
    const second = await start();
    expect(await query(second.url, "select to_regclass('gone')")).toBeNull();
  });

  it('makes a database once', async () => {
    const { url } = await start();
    const made = await createDatabase(url, 'a "quoted" name');
    expect(await createDatabase(url, 'a "quoted" name')).toBe(made);
    expect(made).toBe(databaseUrl(url, 'a "quoted" name'));
    expect(await query(made, 'select current_database()')).toBe('a "quoted" name');
  });

  it('does not outlive stop, and stopping twice is harmless', async () => {
    const server = await start();
    const identity = identifyProcess(server.pid);
    await server.stop();
    await server.stop();
    expect(identity && isRunning(identity)).toBe(false);
  });

  it.runIf(isRoot())('runs for root below a directory that only root may enter', async () => {
    await chmod(parent, 0o700);
    const server = await start();
    const pointer = path.join(dataDir, 'location');
    const far = (await readFile(pointer, 'utf8')).trim();
    await access(path.join(far, 'data', 'PG_VERSION'));
    await server.stop();
    expect(await query((await start()).url, 'select 1')).toBe(1);
    expect((await readFile(pointer, 'utf8')).trim()).toBe(far);
  });
});
