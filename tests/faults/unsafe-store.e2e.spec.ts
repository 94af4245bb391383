import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEphemeralNats, startEphemeralPostgres, type NatsUser } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService } from '../support/service-process.js';

describe('a PostgreSQL that does not wait for its disk', () => {
  let postgres: Awaited<ReturnType<typeof startEphemeralPostgres>>;
  let nats: Awaited<ReturnType<typeof startEphemeralNats>>;
  const logs = mkdtempSync(join(tmpdir(), 'tollkeeper-unsafe-'));
  beforeAll(async () => {
    postgres = await startEphemeralPostgres({ durable: false });
    nats = await startEphemeralNats();
  }, 120_000);
  afterAll(async () => {
    await nats.stop();
    await postgres.stop();
    rmSync(logs, { recursive: true });
  });

  it.each<NatsUser & ('credit' | 'pricing')>(['credit', 'pricing'])(
    'is no store for %s, which says why and ends',
    async (service) => {
      const logFile = join(logs, `${service}.log`);
      const env = {
        DATABASE_URL: postgres.url,
        NATS_URL: nats.url(service),
        KURRENTDB_URL: undefined,
      };
      await expect(startService(service, env, { logFile })).rejects.toThrow('ended with code 1');
      expect(readFileSync(logFile, 'utf8')).toContain(
        'PostgreSQL runs with fsync off, full_page_writes off, synchronous_commit off',
      );
    },
  );
});
