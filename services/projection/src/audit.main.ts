import { parseArgs } from 'node:util';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import { idPattern, messageOf } from '@tollkeeper/kernel';
import type { Pool } from '@tollkeeper/postgres';
import { checksum } from './audit/checksum.js';
import { DifferenceError } from './audit/difference.js';
import { rebuild, type RebuildProgress } from './audit/rebuild.js';
import { replay, replayHeader, replayLine } from './audit/replay.js';
import { verify } from './audit/verify.js';
import { readStoreConfig, type StoreConfig } from './config.js';
import { migrateReadModels, openProjectorPool } from './database.js';
import { rebuildPriceBook } from './price-book/price-book-projector.js';

const usage = `usage: audit.main.js <command> [--json]

  rebuild              make all read models anew from the events
  replay <accountId>   print every event of an account with the balance after it
  checksum             print what a rebuild must come back to
  verify               prove charges, chains and read models from the events; exits 1 on a difference

environment: DATABASE_URL, KURRENTDB_URL (optional)`;

interface Tools {
  readonly config: StoreConfig;
  readonly store: EventStore;
  readonly pool: Pool;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const rebuiltLine = ({ events, seconds, eventsPerSecond }: RebuildProgress): string =>
  `${String(events)} events in ${seconds.toFixed(1)} s, ${String(eventsPerSecond)} events/s`;

const runRebuild = async ({ store, pool, json }: Tools): Promise<number> => {
  await migrateReadModels(pool);
  const done = await rebuild({
    store,
    pool,
    onProgress: (progress) => {
      note(rebuiltLine(progress));
    },
  });
  const changes = await rebuildPriceBook(store, pool);
  print(
    json
      ? JSON.stringify({ ok: true, ...done, priceBookEvents: changes })
      : `rebuilt: ${rebuiltLine(done)}; ${String(changes)} of the price book`,
  );
  return 0;
};

const runChecksum = async ({ pool, json }: Tools): Promise<number> => {
  const found = await checksum(pool);
  if (json) print(JSON.stringify(found));
  else {
    for (const [table, sum] of Object.entries(found.tables)) print(`${table.padEnd(24)} ${sum}`);
    print(`${'all'.padEnd(24)} ${found.checksum} at position ${found.position ?? 'none'}`);
  }
  return 0;
};

const runReplay = async ({ store, json }: Tools, accountId: string): Promise<number> => {
  let events = 0;
  for await (const step of replay(store, accountId)) {
    if (events === 0 && !json) print(replayHeader());
    events += 1;
    print(json ? JSON.stringify(step) : replayLine(step));
  }
  if (events > 0) return 0;
  note(`there is no account ${accountId}`);
  return 1;
};

const runVerify = async ({ config, store, pool, json, signal }: Tools): Promise<number> => {
  const startedAt = performance.now();
  let notedAt = startedAt;
  try {
    const verified = await verify({
      store,
      live: pool,
      databaseUrl: config.DATABASE_URL,
      signal,
      onProgress: (events) => {
        if (performance.now() - notedAt < 2_000) return;
        notedAt = performance.now();
        note(`${String(events)} events proven`);
      },
    });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    print(
      json
        ? JSON.stringify({ ok: true, ...verified })
        : `verified: ${String(verified.accounts)} accounts, ${String(verified.events)} events, ` +
            `${String(verified.charges)} charges, ${String(verified.priceBookEvents)} events of the price book ` +
            `and every read model agree (${seconds} s)` +
            (verified.eventsBehind > 0
              ? `; ${String(verified.eventsBehind)} events are not projected yet`
              : ''),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof DifferenceError)) throw error;
    const { difference } = error;
    if (json) print(JSON.stringify({ ok: false, difference }));
    else {
      print(`DIFFERENCE (${difference.check}): ${difference.message}`);
      if (difference.live !== undefined) print(`  live:       ${difference.live ?? 'no row'}`);
      if (difference.recomputed !== undefined) {
        print(`  recomputed: ${difference.recomputed ?? 'no row'}`);
      }
    }
    return 1;
  }
};

const run = async (
  command: string,
  argument: string | undefined,
  tools: Tools,
): Promise<number> => {
  if (command === 'rebuild') return runRebuild(tools);
  if (command === 'verify') return runVerify(tools);
  if (command === 'checksum') return runChecksum(tools);
  return runReplay(tools, argument ?? '');
};

const isCommandLine = (command: string | undefined, argument: string | undefined): boolean =>
  command === 'replay'
    ? argument !== undefined && idPattern.test(argument)
    : ['rebuild', 'verify', 'checksum'].includes(command ?? '') && argument === undefined;

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [command, argument, ...more] = positionals;
  if (command === undefined || more.length > 0 || !isCommandLine(command, argument)) {
    note(usage);
    return 2;
  }
  const config = readStoreConfig(process.env);
  const onError = (error: unknown): void => {
    note(`connection lost, retrying: ${messageOf(error)}`);
  };
  const pool = openProjectorPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: 'audit',
    onError,
  });
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(new Error('interrupted'));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const store = await openEventStore({
    databaseUrl: config.DATABASE_URL,
    kurrentdbUrl: config.KURRENTDB_URL,
    applicationName: 'audit',
    onError,
  });
  try {
    return await run(command, argument, {
      config,
      store,
      pool,
      json: values.json,
      signal: interruption.signal,
    });
  } finally {
    await store.close();
    await pool.end();
  }
};

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    note(messageOf(error));
    process.exitCode = 2;
  },
);
