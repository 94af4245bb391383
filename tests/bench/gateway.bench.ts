import { Pool } from 'undici';
import { closedLoop } from './closed-loop.js';
import { cpuShares } from './cpu.js';
import { openLoop } from './open-loop.js';
import { startPlatform } from './platform.js';
import { printTable, type Row } from './report.js';

export interface GatewayBenchOptions {
  readonly store: 'postgres' | 'kurrentdb';
  readonly seconds: number;
  readonly clients: number;
  readonly accounts: number;
  readonly ratePerSecond: number;
  readonly profiled: readonly string[];
}

const body = JSON.stringify({
  model: 'gpt-4o',
  max_tokens: 64,
  messages: [
    { role: 'system', content: 'You answer in one sentence.' },
    { role: 'user', content: 'What does a toll keeper do all day?' },
  ],
});

/** One completion; the connection is kept. */
const complete = async (pool: Pool, key: string): Promise<void> => {
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200)
    throw new Error(`${String(answer.statusCode)} ${text.slice(0, 200)}`);
};

/**
 * What the gateway adds to a call of the vendor, at a fixed rate and both measured in turn; and how many
 * completions a second the whole system does with many clients, all processes on this machine.
 */
export const benchGateway = async (options: GatewayBenchOptions): Promise<void> => {
  const kurrentdbUrl = options.store === 'kurrentdb' ? process.env['KURRENTDB_URL'] : undefined;
  const platform = await startPlatform({ kurrentdbUrl, profiled: options.profiled });
  const keys = await platform.openAccounts(options.accounts);
  const keyOf = (n: number): string => keys[n % keys.length] ?? '';
  const gateway = new Pool(platform.gatewayUrl, { connections: options.clients, pipelining: 1 });
  const vendor = new Pool(platform.simulatorUrl, { connections: options.clients, pipelining: 1 });

  const rows: Row[] = [];
  // First, so that what follows meets warm code: a cold process took twice as long for a call.
  const clients = { callers: options.clients, warmUpMs: 3_000, measureMs: options.seconds * 1000 };
  const before = await platform.cpu();
  const startedAt = performance.now();
  const full = await closedLoop(clients, (caller, round) =>
    complete(gateway, keyOf(caller * 31 + round)),
  );
  const spentMs = performance.now() - startedAt;
  const after = await platform.cpu();
  rows.push({
    load: `${String(options.clients)} clients`,
    design: 'through the gateway',
    result: full,
  });
  const rate = {
    perSecond: options.ratePerSecond,
    warmUpMs: 2_000,
    measureMs: options.seconds * 500,
  };
  const load = `${String(options.ratePerSecond)}/s, open loop`;
  for (let turn = 0; turn < 2; turn++) {
    const direct = await openLoop(rate, () => complete(vendor, ''));
    const through = await openLoop(rate, (n) => complete(gateway, keyOf(n)));
    rows.push({ load, design: 'vendor directly', result: direct });
    rows.push({ load, design: 'through the gateway', result: through });
    console.error(
      `added: p50 ${(through.p50Ms - direct.p50Ms).toFixed(2)} ms, p99 ${(through.p99Ms - direct.p99Ms).toFixed(2)} ms`,
    );
  }
  printTable('completions', rows);

  console.log(`\nof a core while the clients ran: ${cpuShares(before, after, spentMs)}`);
  await gateway.close();
  await vendor.close();
  await platform.stop();
};
