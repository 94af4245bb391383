import { startCreditCluster } from '../support/credit-cluster.js';
import { closedLoop } from './closed-loop.js';
import { cpuSecondsOf } from './cpu.js';
import { openLedgerClient } from './ledger-client.js';

export interface GrowthBenchOptions {
  readonly seconds: number;
  /** The smaller number of accounts; the larger one is ten times as many. */
  readonly accounts: number;
}

interface Cost {
  /** CPU time of the credit process for a reserve and its settle. */
  readonly cpuMicros: number;
  readonly perSecond: number;
}

const callers = 64;
const rounds = 3;

/**
 * Whether a command costs more as the ledger grows: the credit process's CPU time for a pair of reserve and settle with ten
 * times the accounts, on an account with ten times the events, and with limits on. CPU time and medians, because
 * they hold on a busy machine where throughput does not.
 */
export const benchGrowth = async (options: GrowthBenchOptions): Promise<void> => {
  const cluster = await startCreditCluster({ instances: ['credit'], env: { LOG_LEVEL: 'warn' } });
  await cluster.settled('credit');
  const client = await openLedgerClient(cluster.nats.url('gateway'), cluster.nats.url('operator'));
  const pids = { credit: cluster.instances.get('credit')?.pid ?? 0 };
  const times = { warmUpMs: 500, measureMs: options.seconds * 1_000 };

  let hotPairs = 0;
  const hot = (): string => {
    hotPairs++;
    return 'hot';
  };
  const once = async (pick: (n: number) => string): Promise<Cost> => {
    let pairs = 0;
    const before = await cpuSecondsOf(pids);
    const result = await closedLoop({ callers, ...times }, async (caller, round) => {
      await client.pair(pick(caller * 104_729 + round * 7_919));
      pairs++;
    });
    const after = await cpuSecondsOf(pids);
    const seconds = (after['credit'] ?? 0) - (before['credit'] ?? 0);
    return { cpuMicros: (seconds * 1e6) / pairs, perSecond: result.perSecond };
  };
  const median = async (pick: (n: number) => string): Promise<Cost> => {
    const costs: Cost[] = [];
    for (let round = 0; round < rounds; round++) costs.push(await once(pick));
    costs.sort((a, b) => a.cpuMicros - b.cpuMicros);
    return costs[Math.floor(rounds / 2)] ?? { cpuMicros: 0, perSecond: 0 };
  };
  const print = (what: string, cost: Cost, base: Cost): void => {
    const ratio = (cost.cpuMicros / base.cpuMicros).toFixed(2);
    console.log(
      `| ${what} | ${cost.cpuMicros.toFixed(0)} | ${ratio} | ${cost.perSecond.toFixed(0)} |`,
    );
  };

  const many = Array.from({ length: options.accounts * 10 }, (_, n) => `acc_${String(n)}`);
  const few = many.slice(0, options.accounts);
  const among =
    (accounts: readonly string[]) =>
    (n: number): string =>
      accounts[n % accounts.length] ?? '';
  await client.open(['hot', 'limited', ...few]);
  await client.limit('limited');
  await once(among(few));

  console.log('| load | µs of CPU a pair | ratio | pairs/s |\n|---|---:|---:|---:|');
  const fewCost = await median(among(few));
  print(`${String(few.length)} accounts`, fewCost, fewCost);
  await client.open(many.slice(few.length));
  print(`${String(many.length)} accounts`, await median(among(many)), fewCost);

  const hotCost = await median(hot);
  const shortPairs = hotPairs;
  print(`one account, up to ${String(2 * shortPairs)} events`, hotCost, hotCost);
  while (hotPairs < shortPairs * 10) await once(hot);
  const from = hotPairs;
  const longCost = await median(hot);
  print(`the same one, from ${String(2 * from)} events`, longCost, hotCost);
  print('one account with three limits', await median(() => 'limited'), hotCost);
  await client.close();
  await cluster.stop();
};
