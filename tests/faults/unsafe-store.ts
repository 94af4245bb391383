import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '@tollkeeper/servers';
import type { Random } from '@tollkeeper/testing';
import pg from 'pg';
import { startLedgerPlatform, type LedgerPlatform } from '../support/ledger-platform.js';
import { openLedgerPort } from '../support/ledger-port.js';
import { LedgerBooks } from './ledger-books.js';
import { startLoad } from './load.js';

const loadedMs = 2_000;

export interface UnsafeStores {
  readonly volatileDisk: string;
  readonly kurrentdbProgram: string | undefined;
}

interface Unsafe {
  readonly what: string;
  readonly server: 'postgres' | 'kurrentdb';
  readonly make: (platform: LedgerPlatform) => Promise<void>;
}

/** After the service has looked, which would refuse it. */
const settings: readonly Unsafe[] = ['synchronous_commit', 'fsync'].map((setting) => ({
  what: `${setting} off`,
  server: 'postgres',
  make: async ({ databaseUrl }) => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('CHECKPOINT');
    await client.query(`ALTER SYSTEM SET ${setting} = off`);
    // Without synchronous commits this is how often the log is flushed: by default so soon that little is lost.
    await client.query(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
    await client.query('SELECT pg_reload_conf()');
    await client.end();
  },
}));

const lyingDisk: Unsafe = {
  what: 'a disk that lies',
  server: 'kurrentdb',
  make: () => Promise.resolve(),
};

/**
 * The control of the power losses: the same loss of a store that does not wait for its disk must be seen to take what was
 * acknowledged. True when it was, each time.
 */
export const runUnsafeStores = async (random: Random, options: UnsafeStores): Promise<boolean> => {
  let noticed = true;
  for (const unsafe of options.kurrentdbProgram === undefined ? settings : [lyingDisk]) {
    const { acked, lost } = await loseWith(unsafe, random, options);
    console.log(
      `control, ${unsafe.what}: ${String(acked)} acknowledged, ${String(lost)} lost by one power loss${lost > 0 ? '' : ', WHICH SHOULD HAVE BEEN NOTICED'}`,
    );
    noticed &&= lost > 0;
  }
  return noticed;
};

const loseWith = async (
  { server, make }: Unsafe,
  random: Random,
  options: UnsafeStores,
): Promise<{ acked: number; lost: number }> => {
  const platform = await startLedgerPlatform({ ...options, lyingDisk: server === 'kurrentdb' });
  const ledger = await openLedgerPort(platform.natsUrl);
  try {
    const store = await platform.store();
    const load = await startLoad(ledger, random, {
      clients: 64,
      accounts: 24,
      persistence: { tryMs: 1_000, giveUpAfterMs: 4_000 },
      holdMs: 100,
    });
    await sleep(loadedMs);
    await make(platform);
    await sleep(loadedMs);
    const lives = platform.processes.get(server)?.lives() ?? 0;
    await platform.losePower?.(server, random, { sectors: 0, names: false });
    const acked = load.takeAcked();
    await load.stop();
    const isBack = (): boolean => (platform.processes.get(server)?.lives() ?? 0) > lives;
    await waitUntil(isBack, { timeoutMs: 60_000 });
    const books = new LedgerBooks(store, load.accountIds);
    await books.read();
    return { acked: acked.length, lost: books.lost(acked).length };
  } finally {
    await ledger.close();
    await platform.stop();
  }
};
