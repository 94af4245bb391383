import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore } from '@tollkeeper/event-store';
import { startEphemeralNats, startEphemeralPostgres } from '@tollkeeper/servers';
import { startService, type ServiceProcess } from '../support/service-process.js';
import { openClassicLedger } from './classic-ledger.js';
import { closedLoop, type LoopOptions } from './closed-loop.js';
import { cpuSecondsOf, cpuShares } from './cpu.js';
import { openLedgerClient } from './ledger-client.js';
import type { LoopResult } from './loop-result.js';
import { printTable, type Row } from './report.js';
import { textbookAppend } from './textbook-ledger.js';

export interface LedgerBenchOptions {
  readonly store: 'postgres' | 'kurrentdb';
  readonly seconds: number;
  readonly accounts: number;
  readonly callers: readonly number[];
  readonly profile: boolean;
  /** Credit processes that share the accounts. */
  readonly instances: number;
  /** Of the long account, before it is measured. */
  readonly longEvents: number;
}

/** One account, the same with three hard limits that count, one with a long past, and many. */
const loads = ['hot', 'limited', 'long', 'spread'] as const;
type Load = (typeof loads)[number];

const samplePayload = JSON.stringify({ reservationId: 'x'.repeat(36), filler: 'y'.repeat(400) });

/**
 * Reserve + settle pairs through the credit service's NATS interface, beside the design that each
 * store is usually used with, on the same servers in the same run.
 */
export const benchLedger = async (options: LedgerBenchOptions): Promise<void> => {
  const kurrentdbUrl = options.store === 'kurrentdb' ? process.env['KURRENTDB_URL'] : undefined;
  if (options.store === 'kurrentdb' && kurrentdbUrl === undefined) {
    throw new Error('--store kurrentdb needs KURRENTDB_URL');
  }
  const postgres = await startEphemeralPostgres({ durable: true });
  const nats = await startEphemeralNats();
  const logFile = join(mkdtempSync(join(tmpdir(), 'tollkeeper-bench-')), 'services.log');
  const env = { DATABASE_URL: postgres.url, KURRENTDB_URL: kurrentdbUrl, LOG_LEVEL: 'warn' };
  const pricing = await startService(
    'pricing',
    { ...env, NATS_URL: nats.url('pricing') },
    { logFile },
  );
  const nodeFlags = options.profile ? ['--cpu-prof', '--cpu-prof-dir=profiles/credit'] : [];
  const credits: ServiceProcess[] = [];
  for (let n = 1; n <= options.instances; n++) {
    const own = { ...env, NATS_URL: nats.url('credit'), INSTANCE_ID: `credit-${String(n)}` };
    credits.push(await startService('credit', own, { logFile, nodeFlags }));
  }
  const client = await openLedgerClient(nats.url('gateway'), nats.url('operator'));
  const run = crypto.randomUUID().slice(0, 8);
  const [hot, limited, long] = [`hot_${run}`, `limited_${run}`, `long_${run}`];
  const spread = Array.from({ length: options.accounts }, (_, n) => `acc_${run}_${String(n)}`);
  const all = [hot, limited, long, ...spread];
  console.error(`opening ${String(all.length)} accounts …`);
  await client.open(all);
  await client.limit(limited);

  const rival =
    kurrentdbUrl === undefined
      ? await classicRival(postgres.url, all)
      : await textbookRival(kurrentdbUrl);
  const rows: Row[] = [];
  const pids = {
    ...Object.fromEntries(
      credits.map(({ pid }, n) => [
        credits.length === 1 ? 'credit' : `credit-${String(n + 1)}`,
        pid,
      ]),
    ),
    nats: nats.pid,
    postgres: postgres.pid,
  };
  const one = { hot, limited, long };
  const pick = (load: Load, caller: number, round: number): string =>
    load === 'spread'
      ? (spread[(caller * 7919 + round * 104_729) % spread.length] ?? hot)
      : one[load];
  const pairs = (load: Load, loop: LoopOptions): Promise<LoopResult> =>
    closedLoop(loop, (caller, round) => client.pair(pick(load, caller, round)));

  console.error(`warming up, and giving ${long} ${String(options.longEvents)} events …`);
  // What is measured first would otherwise be measured while it is still being compiled.
  for (const load of loads) await pairs(load, { callers: 64, warmUpMs: 0, measureMs: 2_000 });
  for (let events = 0; events < options.longEvents;) {
    events += 2 * (await pairs('long', { callers: 64, warmUpMs: 0, measureMs: 1_000 })).done;
  }

  for (const callers of options.callers) {
    for (const load of loads) {
      const loop: LoopOptions = { callers, warmUpMs: 1_000, measureMs: options.seconds * 1000 };
      const name = `${load}, ${String(callers)} callers`;
      const before = await cpuSecondsOf(pids);
      const startedAt = performance.now();
      const ours = await pairs(load, loop);
      const shares = cpuShares(before, await cpuSecondsOf(pids), performance.now() - startedAt);
      rows.push({ load: name, design: 'tollkeeper', result: ours });
      console.error(`${name}: ${ours.perSecond.toFixed(0)} pairs/s; of a core: ${shares}`);
      // To the rival a long past and limits that it does not have are a hot account like any other.
      if (load === 'limited' || load === 'long') continue;
      const steps = await closedLoop(loop, (caller, round, isOver) =>
        rival.step(pick(load, caller, round), isOver),
      );
      const theirs = { ...steps, perSecond: steps.perSecond / rival.stepsPerPair };
      rows.push({ load: name, design: rival.name, result: theirs });
      console.error(`  ${summary(ours, theirs)}`);
    }
  }
  printTable('reserve+settle pairs', rows);

  await client.close();
  await rival.close();
  await Promise.all(credits.map((credit) => credit.stop()));
  await pricing.stop();
  await nats.stop();
  await postgres.stop();
};

const summary = (ours: LoopResult, theirs: LoopResult): string =>
  `beside ${theirs.perSecond.toFixed(1)}: ${(ours.perSecond / theirs.perSecond).toFixed(1)} times`;

interface Rival {
  readonly name: string;
  /** A whole pair, or an event where a pair takes longer than anyone measures. */
  readonly step: (accountId: string, isOver: () => boolean) => Promise<void>;
  readonly stepsPerPair: number;
  readonly close: () => Promise<void>;
}

const classicRival = async (url: string, accountIds: readonly string[]): Promise<Rival> => {
  const { pair, close } = await openClassicLedger(url, accountIds);
  return { name: 'classic (SERIALIZABLE, FOR UPDATE)', step: pair, stepsPerPair: 1, close };
};

const textbookRival = async (kurrentdbUrl: string): Promise<Rival> => {
  const store = await openEventStore({ kurrentdbUrl, applicationName: 'bench' });
  return {
    name: 'textbook (read, decide, append, retry)',
    stepsPerPair: 2,
    step: (accountId, isOver) =>
      textbookAppend(store, `textbook-${accountId}`, 'Reserved', samplePayload, isOver),
    close: () => store.close(),
  };
};
