import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '@tollkeeper/servers';
import type { Random } from '@tollkeeper/testing';
import pg from 'pg';
import { startLedgerPlatform } from '../support/ledger-platform.js';
import { openLedgerPort } from '../support/ledger-port.js';
import { LedgerBooks } from './ledger-books.js';
import { startLoad } from './load.js';

const loadedMs = 2_000;

/**
 * The control of the power losses: a store that was told, after it had been started safely, not to wait for its disk must
 * be seen to lose what was acknowledged. True when it was, for each setting.
 */
export const runUnsafeStores = async (random: Random, volatileDisk: string): Promise<boolean> => {
  let noticed = true;
  for (const setting of ['synchronous_commit', 'fsync']) {
    const { acked, lost } = await loseWithout(setting, random, volatileDisk);
    console.log(
      `control, ${setting} off: ${String(acked)} acknowledged, ${String(lost)} lost by one power loss${lost > 0 ? '' : ', WHICH SHOULD HAVE BEEN NOTICED'}`,
    );
    noticed &&= lost > 0;
  }
  return noticed;
};

const loseWithout = async (
  setting: string,
  random: Random,
  volatileDisk: string,
): Promise<{ acked: number; lost: number }> => {
  const platform = await startLedgerPlatform({ volatileDisk });
  const ledger = await openLedgerPort(platform.natsUrl);
  const pool = new pg.Pool({ connectionString: platform.databaseUrl, max: 1 });
  // Its idle connection ends with the server.
  pool.on('error', () => undefined);
  try {
    const store = await platform.store();
    const load = await startLoad(ledger, random, {
      clients: 64,
      accounts: 24,
      persistence: { tryMs: 1_000, giveUpAfterMs: 4_000 },
      holdMs: 100,
    });
    await sleep(loadedMs);
    await pool.query('CHECKPOINT');
    await pool.query(`ALTER SYSTEM SET ${setting} = off`);
    // Without synchronous commits this is how often the log is flushed: by default so soon that little is lost.
    await pool.query(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
    await pool.query('SELECT pg_reload_conf()');
    await sleep(loadedMs);
    await platform.losePower?.('postgres', random, { sectors: 0, names: false });
    const acked = load.takeAcked();
    await load.stop();
    await waitUntil(() => pool.query('SELECT 1').then(...isTrue), { timeoutMs: 60_000 });
    const books = new LedgerBooks(store, load.accountIds);
    await books.read();
    return { acked: acked.length, lost: books.lost(acked).length };
  } finally {
    await pool.end();
    await ledger.close();
    await platform.stop();
  }
};

const isTrue = [() => true, () => false] as const;
