import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newNatsPasswords } from './ephemeral-nats.js';
import { findNatsServer } from './nats-binary.js';
import { startNats } from './start-nats.js';

const SLOW_MS = 240_000;

describe('nats-server', () => {
  let dataDir: string;
  const users = newNatsPasswords();

  beforeEach(async () => {
    dataDir = path.join(await mkdtemp(path.join(tmpdir(), 'toll nats ')), 'nats');
  });

  afterEach(async () => {
    await rm(path.dirname(dataDir), { recursive: true });
  });

  it(
    'keeps its port across restarts, and stops the one that was left behind',
    async () => {
      const first = await startNats({ dataDir, users });
      const second = await startNats({ dataDir, users });
      await first.exited;
      expect(second.port).toBe(first.port);
      await second.stop();
      await second.stop();
      await second.exited;
    },
    SLOW_MS,
  );

  it(
    'moves to another port when the wished one is busy',
    async () => {
      const { blocker, port } = await occupy();
      const server = await startNats({ dataDir, users, port });
      expect(server.port).not.toBe(port);
      await server.stop();
      blocker.close();
    },
    SLOW_MS,
  );

  it(
    'is installed once into an empty cache by two runs at the same time',
    async ({ skip }) => {
      const cacheDir = path.join(dataDir, 'cache');
      const find = () => findNatsServer({ cacheDir, env: { PATH: '' } });
      try {
        const [one, other] = await Promise.all([find(), find()]);
        expect(one).toEqual(other);
      } catch (error) {
        skip(`no source of nats-server can be reached: ${String(error)}`);
      }
    },
    SLOW_MS,
  );
});

const occupy = async (): Promise<{ blocker: Server; port: number }> => {
  const blocker = createServer();
  await new Promise<void>((resolve) => {
    blocker.listen(0, '127.0.0.1', resolve);
  });
  const address = blocker.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { blocker, port: address.port };
};
