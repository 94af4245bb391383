import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectNats, request as natsRequest } from '@tollkeeper/messaging';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { waitUntil } from '@tollkeeper/servers';
import OpenAI, { APIError } from 'openai';
import pg from 'pg';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf, chat, complete, difference } from '../support/completions.js';
import { startStack, type Stack } from '../support/stack.js';

describe('a completion, end to end', () => {
  let stack: Stack;
  let database: pg.Pool;

  beforeAll(async () => {
    stack = await startStack();
    database = new pg.Pool({ connectionString: stack.ready().databaseUrl, max: 2 });
  }, 120_000);
  afterAll(async () => {
    await database.end();
    await stack.stop();
  }, 60_000);

  const client = (apiKey: string): OpenAI =>
    new OpenAI({ apiKey, baseURL: `${stack.ready().gatewayUrl}/v1`, maxRetries: 0 });

  it('lowers the balance by exactly what the response says, which is the price table’s figure', async () => {
    const { apiKey } = stack.ready();
    await stack.simulator({ inputTokens: 1000, outputTokens: 300 });
    const before = await balanceOf(stack, apiKey);
    const { status, body } = await complete(stack, apiKey);
    const after = await balanceOf(stack, apiKey);
    expect(status).toBe(200);
    expect(difference(before.balance, after.balance)).toBe(body.usage?.charge_credits);
    expect(after.reserved).toBe('0');
    // gpt-4o: 2.5 and 10 USD for a million tokens; pro: × 1.5; a credit is 0.01 USD.
    const costUsd = parseMoney('0.0000025').times(1000).plus(parseMoney('0.00001').times(300));
    expect(body.usage).toMatchObject({
      prompt_tokens: 1000,
      completion_tokens: 300,
      cost_usd: formatMoney(costUsd),
      charge_credits: formatMoney(costUsd.times('1.5').div('0.01')),
      multiplier: '1.5',
      provenance: 'exact',
      charge_status: 'settled',
    });
    expect(body.usage?.price_version).toMatch(/^openai:gpt-4o@\d+$/);
  });

  it('tells a shell the cost and the charge of an answer that the ledger booked', async () => {
    const { home } = stack;
    const { apiKey } = stack.ready();
    await stack.simulator({ inputTokens: 1234, outputTokens: 567 });
    const { body } = await complete(stack, apiKey);
    const file = join(home, 'answers.jsonl');
    const line = { provider: 'openai', api: 'openai.chat', model: 'gpt-4o', tier: 'pro' };
    await writeFile(
      file,
      JSON.stringify({ ...line, at: new Date().toISOString(), response: body }),
    );
    for (const args of [[], ['--prices', 'genai-prices']]) {
      expect(await stack.toll('prices', 'cost', ...args, file)).toMatchObject({
        vendorCostUsd: body.usage?.cost_usd,
        chargeCredits: body.usage?.charge_credits,
        priceVersion: body.usage?.price_version,
        multiplier: body.usage?.multiplier,
      });
    }
  });

  it('shows the call in the usage log with its tokens and its initiator', async () => {
    const { apiKey, accountId, userId } = stack.ready();
    const { headers } = await complete(stack, apiKey, chat, {
      'x-toll-project': 'prj_42',
      'x-toll-task-type': 'greeting',
      'x-toll-context': '{"ticket":"T-1"}',
    });
    expect(headers['x-toll-max-tokens']).toBe('8192');
    const find = async () =>
      database.query<Record<string, unknown>>(
        `SELECT user_id, project_id, task_type, context, input_tokens, output_tokens, charge_credits::text AS charge
           FROM read.usage_log WHERE account_id = $1 AND project_id = 'prj_42'`,
        [accountId],
      );
    await waitUntil(async () => (await find()).rows.length > 0, { timeoutMs: 10_000 });
    const [row] = (await find()).rows;
    expect(row).toMatchObject({
      user_id: userId,
      project_id: 'prj_42',
      task_type: 'greeting',
      context: { ticket: 'T-1' },
    });
    expect(Number(row?.['input_tokens'])).toBeGreaterThan(0);
    expect(Number(row?.['output_tokens'])).toBeGreaterThan(0);
  });

  it('serves the official openai SDK by its base URL alone', async () => {
    const openai = client(stack.ready().apiKey);
    const whole = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(whole.choices[0]?.message.content).toBeTruthy();
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);

    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    });
    let text = '';
    for await (const chunk of stream) {
      expect(chunk.usage ?? undefined).toBeUndefined();
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).not.toBe('');

    const models = await openai.models.list();
    expect(models.data.map((model) => model.id)).toContain('gpt-4o');
  });

  it('gives usage and charge to a streaming client that asked for usage', async () => {
    const { apiKey } = stack.ready();
    const before = await balanceOf(stack, apiKey);
    const stream = await client(apiKey).chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hello' }],
    });
    let usage: (OpenAI.CompletionUsage & { charge_credits?: string }) | undefined;
    for await (const chunk of stream) if (chunk.usage) usage = chunk.usage;
    const after = await balanceOf(stack, apiKey);
    expect(usage?.prompt_tokens).toBeGreaterThan(0);
    expect(difference(before.balance, after.balance)).toBe(usage?.charge_credits);
  });

  it('raises the SDK’s own APIError with status 402 when the account is empty', async () => {
    const { apiKey, accountId } = await stack.openAccount('0.0001');
    const failure = await client(apiKey)
      .chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ status: 402, code: 'insufficient_credits' });
    expect((failure as { error: unknown }).error).toMatchObject({
      balance: '0.0001',
      suggestions: [{ action: 'top-up' }, {}],
    });
    expect((await stack.eventsOf(accountId)).map((event) => event.type)).not.toContain('Reserved');
  });

  it('keeps nobody’s words: not in events, read models, logs, journals or the bus’s store', async () => {
    const canary = `canary${crypto.randomUUID().replaceAll('-', '')}`;
    const { apiKey, accountId } = stack.ready();
    const body = { ...chat, messages: [{ role: 'user', content: canary }] };
    expect((await complete(stack, apiKey, body)).status).toBe(200);
    expect((await complete(stack, apiKey, { ...body, unheard_of: canary })).status).toBe(400);
    await waitUntil(
      async () =>
        (await stack.toll<{ reserved: string }>('account', 'show', accountId)).reserved === '0',
      { timeoutMs: 5_000 },
    );
    expect(JSON.stringify(await stack.eventsOf(accountId))).not.toContain(canary);
    for (const table of ['usage_log', 'credit_transactions', 'daily_summaries']) {
      const { rows } = await database.query(`SELECT * FROM read.${table}`);
      expect(JSON.stringify(rows)).not.toContain(canary);
    }
    const found = spawnSync('grep', ['-rl', canary, stack.home], { encoding: 'utf8' });
    expect(found.stdout).toBe('');
  });

  it('refuses an unknown model, a wrong key and a broken body without a stack trace', async () => {
    const { apiKey, gatewayUrl } = stack.ready();
    const unknown = await complete(stack, apiKey, { ...chat, model: 'no-such-model' });
    expect(unknown.status).toBe(404);
    expect(unknown.body.error).toMatchObject({ code: 'model_not_found' });
    expect((await complete(stack, 'tk_wrong')).status).toBe(401);
    const broken = await request(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: '{"model":',
    });
    expect(broken.statusCode).toBe(400);
    expect(await broken.body.text()).not.toMatch(/\bat .*\.js:/);
  });

  it('answers raw NATS messages of any client: plain JSON in, plain JSON out, ids in headers', async () => {
    const { natsUrl, accountId } = stack.ready();
    const nats = await connectNats({ url: natsUrl, name: 'raw' });
    const ask = (subject: string, body: unknown, headers: Record<string, string> = {}) =>
      natsRequest(nats, subject, body, { timeoutMs: 5_000, headers });
    try {
      expect(await ask(`credit.v1.balance.${accountId}`, {})).toMatchObject({ accountId });
      expect(await ask('credit.v1.balance.acc_nobody', {})).toMatchObject({
        status: 'refused',
        reason: 'unknown-account',
      });
      const ids = { 'Toll-Command-Id': crypto.randomUUID(), 'Toll-Actor': 'raw-client' };
      const reserve = { amountCredits: '1.5', taskType: 'raw' };
      const first = await ask(`credit.v1.reserve.${accountId}`, reserve, ids);
      expect(first).toMatchObject({ status: 'accepted', reservationId: ids['Toll-Command-Id'] });
      expect(await ask(`credit.v1.reserve.${accountId}`, reserve, ids)).toEqual(first);
      expect(
        await ask(`credit.v1.reserve.${accountId}`, { ...reserve, amountCredits: '2' }, ids),
      ).toMatchObject({ reason: 'replay-mismatch' });
      expect(
        await ask(`credit.v1.release.${accountId}`, {
          reservationId: ids['Toll-Command-Id'],
          reason: 'cancelled',
        }),
      ).toEqual({ status: 'accepted' });
      expect(await ask(`credit.v1.charge.${accountId}`, { amountCredits: '0.25' })).toMatchObject({
        status: 'accepted',
        chargeCredits: '0.25',
      });
      expect(await ask(`credit.v1.settle.${accountId}`, { reservationId: 7 })).toMatchObject({
        status: 'refused',
        reason: 'invalid-request',
      });
    } finally {
      await nats.close();
    }
  });

  it('serves exactly one hundred of five hundred calls where the credits cover one hundred', async () => {
    const probe = await stack.openAccount('1000');
    const body = { ...chat, max_tokens: 50 };
    await complete(stack, probe.apiKey, body);
    const events = await stack.eventsOf(probe.accountId);
    const reserved = events.find((event) => event.type === 'Reserved');
    const bound = reserved?.data.quote?.bound;
    expect(bound?.outputTokens).toBe(50);
    await stack.simulator({ inputTokens: bound?.inputTokens, outputTokens: 'max', latencyMs: 20 });

    const cost = parseMoney(reserved?.data.amountCredits ?? '0');
    const account = await stack.openAccount(formatMoney(cost.times(100)));
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => complete(stack, account.apiKey, body)),
    );
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    expect(statuses.filter((status) => status === 402)).toHaveLength(400);
    expect(await balanceOf(stack, account.apiKey)).toMatchObject({
      available: '0',
      reserved: '0',
      balance: '0',
    });
  }, 120_000);

  it('estimates, never zeroes, a stream that the vendor cut', async () => {
    const { accountId, apiKey } = await stack.openAccount('100');
    await stack.simulator({ failure: 'cut', outputTokens: 40, chunkIntervalMs: 1 });
    const stream = await request(`${stack.ready().gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...chat, stream: true }),
    });
    await stream.body.text().catch(() => undefined);
    const find = async () =>
      (await stack.eventsOf(accountId)).find((event) => event.type === 'Settled');
    await waitUntil(async () => (await find()) !== undefined, { timeoutMs: 10_000 });
    const settled = await find();
    expect(settled?.data.attempts[0]?.provenance).toBe('estimated');
    expect(parseMoney(settled?.data.chargeCredits ?? '0').gt(0)).toBe(true);
    await stack.simulator({});
  });

  it('replays an account with the balance after each event, rebuilds, and proves the books', async () => {
    const { accountId } = stack.ready();
    const balance = await stack.toll<{ balance: string }>('account', 'show', accountId);
    const replay = await stack.tollRaw('audit', 'replay', accountId, '--json');
    const lines = replay.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines.at(-1)).toMatchObject({ balance: balance.balance });
    expect((await stack.tollRaw('projections', 'rebuild')).code).toBe(0);
    const proof = await stack.tollRaw('audit', 'verify');
    expect(proof).toMatchObject({ code: 0 });
    await database.query(
      `UPDATE read.balances SET balance = balance + 1, available = available + 1, granted = granted + 1
        WHERE account_id = $1`,
      [accountId],
    );
    const difference = await stack.tollRaw('audit', 'verify');
    expect(difference.code).toBe(1);
    expect(difference.stdout + difference.stderr).toContain('balances');
    await stack.tollRaw('projections', 'rebuild');
    expect((await stack.tollRaw('audit', 'verify')).code).toBe(0);
  }, 60_000);
});
