import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ExplainView,
  RerateView,
  SimulationView,
  VendorPriceView,
} from '@tollkeeper/contracts';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { waitUntil } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf, complete, difference, type CompletionAnswer } from '../support/completions.js';
import { startStack, type OpenedAccount, type Shell, type Stack } from '../support/stack.js';

const calls = 3;
const times = (amount: string, factor: number): string =>
  formatMoney(parseMoney(amount).times(factor));

describe('recorded calls', () => {
  let stack: Stack;
  let account: OpenedAccount;
  let ann: Shell;
  let adminKey: string;
  let answers: CompletionAnswer[];

  const simulated = (...args: string[]): Promise<SimulationView> =>
    ann.toll('prices', 'simulate', '--days', '7', '--account', account.accountId, ...args);
  const rerated = (priceVersion: string, ...args: string[]): Promise<RerateView> =>
    ann.toll(
      ...['prices', 'rerate', priceVersion, '--days', '7', '--account', account.accountId],
      ...['--reason', 'the vendor billed twice as much', ...args],
    );

  beforeAll(async () => {
    stack = await startStack({ PRICE_LEAD_MS: '1000' });
    account = await stack.openAccount('1000');
    const issue = ['admin', 'issue-key', 'ann', '--role', 'admin'];
    ({ adminKey } = await stack.toll<{ adminKey: string }>(...issue));
    ann = stack.shell({ TOLL_ADMIN_KEY: adminKey });
    answers = [];
    for (let call = 0; call < calls; call += 1) {
      answers.push(await complete(stack, account.apiKey));
    }
    await waitUntil(async () => (await simulated()).usages === calls, { timeoutMs: 30_000 });
  }, 120_000);
  afterAll(() => stack.stop(), 60_000);

  it('are tried under another multiplier: twice the multiplier, twice the revenue', async () => {
    const csv = join(stack.home, 'simulation.csv');
    const view = await simulated('--multiplier', 'tier:pro=3', '--csv', csv);
    const { before, after } = view.totals;
    expect(view).toMatchObject({ usages: calls, changed: calls, affectedUsers: 1 });
    expect(after).toEqual({
      ...after,
      revenueUsd: times(before.revenueUsd, 2),
      costUsd: before.costUsd,
    });
    const costUsd = answers.reduce(
      (sum, { body }) => sum.plus(body.usage?.cost_usd ?? 'NaN'),
      parseMoney('0'),
    );
    expect(before.costUsd).toBe(formatMoney(costUsd));
    const rows = (await readFile(csv, 'utf8')).trim().split('\n');
    expect(rows.map((row) => row.split(',')[0])).toEqual([
      'section',
      'total',
      'tier',
      'provider',
      'model',
      'user',
    ]);
    expect(rows[1]).toContain(`,${after.revenueUsd},`);
  });

  it('are a table over HTTP for whoever asks for one', async () => {
    const answer = await fetch(`${stack.ready().gatewayUrl}/api/admin/pricing/simulate`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${adminKey}`,
        'content-type': 'application/json',
        accept: 'text/csv',
      },
      body: JSON.stringify({
        days: 7,
        accountId: account.accountId,
        multipliers: [{ scope: { tier: 'pro' }, multiplier: '1' }],
        users: 0,
      }),
    });
    expect(answer.headers.get('content-type')).toContain('text/csv');
    const text = await answer.text();
    expect(text).toContain('\ntotal,,3,');
    expect(text).toMatch(/\nuser,[\w-]+,3,/);
  });

  it('are charged again at a corrected price: listed, posted once, explained, and proven', async () => {
    const [listed] = await ann.toll<VendorPriceView[]>(
      ...['prices', 'list', '--provider', 'openai', '--model', 'gpt-4o'],
    );
    if (!listed) throw new Error('gpt-4o has no price');
    const file = join(stack.home, 'correction.json');
    const price = {
      provider: 'openai',
      model: 'gpt-4o',
      aliases: listed.aliases,
      effectiveFrom: new Date(Date.now() - 3_600_000).toISOString(),
      rates: listed.rates.map(({ rateUsd, ...rate }) => ({ ...rate, rate: times(rateUsd, 2) })),
      source: { name: 'the vendor’s invoice' },
    };
    await writeFile(file, JSON.stringify(price));
    const { priceVersion } = await ann.toll<VendorPriceView>(
      ...['prices', 'publish', file, '--reason', 'the invoice says so'],
    );

    const before = await balanceOf(stack, account.apiKey);
    const found = await rerated(priceVersion);
    expect(found).toMatchObject({ usages: calls, differences: calls, posted: 0, failed: [] });
    expect(await balanceOf(stack, account.apiKey)).toMatchObject({ balance: before.balance });

    const posted = await rerated(priceVersion, '--post');
    expect(posted).toMatchObject({ differences: calls, posted: calls, failed: [] });
    const after = await balanceOf(stack, account.apiKey);
    expect(difference(before.balance, after.balance)).toBe(posted.deltaCredits);

    let again: RerateView | undefined;
    await waitUntil(
      async () => {
        again = await rerated(priceVersion, '--post');
        return again.differences === 0;
      },
      { timeoutMs: 30_000 },
    );
    expect(again).toMatchObject({ usages: calls, differences: 0, posted: 0 });
    expect(await balanceOf(stack, account.apiKey)).toMatchObject({ balance: after.balance });

    const reservationId = String(answers[0]?.headers['x-request-id']);
    const explained = await stack.toll<ExplainView>(
      ...['prices', 'explain', account.accountId, reservationId],
    );
    expect(explained.attempts).toMatchObject([{ priceVersion }]);
    expect(explained.vendorCostUsd).toBe(times(answers[0]?.body.usage?.cost_usd ?? 'NaN', 2));
    const verified = await stack.tollRaw('audit', 'verify');
    expect(verified.stdout).toContain('agree');
  }, 90_000);
});
