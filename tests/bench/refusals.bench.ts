import { startCreditCluster } from '../support/credit-cluster.js';
import { closedLoop } from './closed-loop.js';
import { cpuSecondsOf, cpuShares } from './cpu.js';
import { openLedgerClient, RefusedError } from './ledger-client.js';
import { printTable, type Row } from './report.js';

export interface RefusalsBenchOptions {
  readonly seconds: number;
  readonly accounts: number;
  readonly callers: readonly number[];
}

/**
 * What a refusal and a look at the balance cost beside an accepted reserve: none of the three leaves before the store
 * has said that nothing came between, so neither should be dearer than what appends an event.
 */
export const benchRefusals = async (options: RefusalsBenchOptions): Promise<void> => {
  const cluster = await startCreditCluster({ instances: ['credit'], env: { LOG_LEVEL: 'warn' } });
  await cluster.settled('credit');
  const client = await openLedgerClient(cluster.nats.url('gateway'), cluster.nats.url('operator'));
  const pids = {
    credit: cluster.instances.get('credit')?.pid ?? 0,
    postgres: cluster.postgresPid,
  };
  const names = (kind: string): readonly string[] =>
    Array.from({ length: options.accounts }, (_, n) => `${kind}_${String(n)}`);
  const [rich, poor] = [names('rich'), names('poor')];
  await client.open(rich);
  await client.open(poor, '0.0001');

  const acts = {
    'accepted reserve': async (place: number) => {
      await client.reserve(rich[place % rich.length] ?? '');
    },
    'refused reserve': async (place: number) => {
      await client.reserve(poor[place % poor.length] ?? '').then(
        () => Promise.reject(new Error('not refused')),
        (error: unknown) => {
          if (!(error instanceof RefusedError && error.message === 'insufficient-credits'))
            throw error;
        },
      );
    },
    balance: (place: number) => client.balance(poor[place % poor.length] ?? ''),
  };
  const rows: Row[] = [];
  for (const load of ['hot', 'spread'] as const) {
    for (const callers of options.callers) {
      for (const [design, act] of Object.entries(acts)) {
        const before = await cpuSecondsOf(pids);
        const startedAt = performance.now();
        const result = await closedLoop(
          { callers, warmUpMs: 1_000, measureMs: options.seconds * 1_000 },
          (caller, round) => act(load === 'hot' ? 0 : caller * 7_919 + round * 104_729),
        );
        const shares = cpuShares(before, await cpuSecondsOf(pids), performance.now() - startedAt);
        rows.push({ load: `${load}, ${String(callers)} callers`, design, result });
        console.error(`${load}, ${String(callers)} callers, ${design}: of a core: ${shares}`);
      }
    }
  }
  printTable('answers', rows);
  await client.close();
  await cluster.stop();
};
