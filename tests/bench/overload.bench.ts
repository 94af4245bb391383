import { startCreditCluster } from '../support/credit-cluster.js';
import { closedLoop } from './closed-loop.js';
import { openLedgerClient, RefusedError } from './ledger-client.js';
import { openLoop } from './open-loop.js';

export interface OverloadBenchOptions {
  readonly seconds: number;
  readonly accounts: number;
  readonly instances: number;
}

const callers = 256;

/**
 * What is left of the throughput when more is asked for than there is: the capacity by a closed loop, then one,
 * two and three times as much offered at a fixed rate, whatever becomes of it.
 */
export const benchOverload = async (options: OverloadBenchOptions): Promise<void> => {
  const names = Array.from({ length: options.instances }, (_, n) => `credit-${String(n + 1)}`);
  const cluster = await startCreditCluster({ instances: names, env: { LOG_LEVEL: 'warn' } });
  await cluster.settled(...names);
  const client = await openLedgerClient(cluster.nats.url('gateway'), cluster.nats.url('operator'));
  const accounts = Array.from({ length: options.accounts }, (_, n) => `acc_${String(n)}`);
  await client.open(accounts);
  const pick = (n: number): string => accounts[(n * 7919) % accounts.length] ?? '';
  const times = { warmUpMs: 2_000, measureMs: options.seconds * 1_000 };

  const capacity = await closedLoop({ callers, ...times }, (caller, round) =>
    client.pair(pick(caller * 104_729 + round)),
  );
  console.log(`capacity: ${capacity.perSecond.toFixed(0)} pairs/s (${String(callers)} callers)\n`);
  console.log(
    '| offered | pairs/s offered | goodput/s | of capacity | refused | failed | p50 ms | p99 ms |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
  for (const factor of [1, 2, 3]) {
    let refused = 0;
    let failed = 0;
    const perSecond = capacity.perSecond * factor;
    const result = await openLoop({ perSecond, ...times }, async (round) => {
      try {
        await client.pair(pick(round));
      } catch (error) {
        if (error instanceof RefusedError) refused++;
        else failed++;
        throw error;
      }
    });
    const share = (100 * result.perSecond) / capacity.perSecond;
    console.log(
      `| ${String(factor)}× | ${perSecond.toFixed(0)} | ${result.perSecond.toFixed(0)} | ${share.toFixed(0)} % | ${String(refused)} | ${String(failed)} | ${result.p50Ms.toFixed(0)} | ${result.p99Ms.toFixed(0)} |`,
    );
  }
  await client.close();
  await cluster.stop();
};
