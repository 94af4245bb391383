import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  acceptAll,
  attemptsOf,
  eventsOf,
  hello,
  json,
  startWorld,
  usageOf,
  type Json,
  type World,
} from '../gateway.fixture.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

describe('a completion', () => {
  it('is reserved, made, settled by what the vendor billed, and says what it cost', async () => {
    const response = await world.post(hello, { 'x-request-id': 'my-request' });
    expect(response.status).toBe(200);
    const body = await json(response);
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'gpt-4o',
      usage: {
        completion_tokens: 16,
        charge_credits: '0.0123',
        cost_usd: '0.000082',
        price_version: 'pv1',
        multiplier: '1.5',
        provenance: 'exact',
        charge_status: 'settled',
      },
    });
    const reservationId = response.headers.get('x-request-id');
    const [reserve, settle] = world.ledger.seen;
    expect(world.ledger.seen).toHaveLength(2);
    expect(reserve).toMatchObject({
      verb: 'reserve',
      accountId: 'acc1',
      body: {
        commandId: reservationId,
        correlationId: 'my-request',
        userId: 'user-of-acc1',
        candidates: [{ provider: 'openai', model: 'gpt-4o' }],
        bounds: { outputTokens: 8_192, choices: 1, outputMayShrink: true },
      },
    });
    expect(settle).toMatchObject({
      verb: 'settle',
      body: {
        reservationId,
        attempts: [
          {
            provider: 'openai',
            model: 'gpt-4o',
            answeredModel: 'gpt-4o',
            vendorRequestId: body['id'],
            provenance: 'exact',
            usage: { input: usageOf(body)['prompt_tokens'], output: 16 },
          },
        ],
      },
    });
    const [billed] = (await world.invoice()).slice(-1);
    expect(billed).toMatchObject({ clientRequestId: reservationId, completionTokens: 16 });
    expect(await world.health()).toMatchObject({ inFlight: 0, journal: { open: 0 } });
  });

  it('names the limits that were reserved, and sends that limit upstream', async () => {
    await world.behave({ outputTokens: 'max' });
    world.ledger.answer = (command) => {
      const reply = acceptAll(command);
      return command.verb === 'reserve' ? { ...reply, outputTokens: 7 } : reply;
    };
    const response = await world.post(hello);
    expect(response.headers.get('x-toll-max-tokens')).toBe('7');
    expect(Number(response.headers.get('x-toll-input-bound'))).toBeGreaterThan(1);
    expect(response.headers.get('x-toll-vendor')).toBe('simulator');
    expect(usageOf(await json(response))).toMatchObject({ completion_tokens: 7 });
  });

  it('lets an explicit limit shrink only where the client allows it', async () => {
    await world.post({ ...hello, max_tokens: 5 });
    await world.post({ ...hello, max_tokens: 5 }, { 'x-toll-shrink': 'allow' });
    expect(world.ledger.of('reserve').map(({ body }) => body['bounds'])).toMatchObject([
      { outputTokens: 5, outputMayShrink: false },
      { outputTokens: 5, outputMayShrink: true },
    ]);
  });

  it('takes the caller’s fields along, from headers and from metadata', async () => {
    const metadata = { project: 'p1', task_type: 'chat', order: '17' };
    await world.post({ ...hello, metadata }, { 'x-toll-project': 'p2' });
    expect(world.ledger.of('reserve')[0]?.body).toMatchObject({
      projectId: 'p2',
      taskType: 'chat',
      context: { order: '17' },
    });
  });

  it('is told to other services, on a stream that keeps it for an hour', async () => {
    const told: Json[] = [];
    world.operator.subscribe('completion.v1.>', {
      callback: (_error, message) => {
        told.push({ subject: message.subject, ...message.json<Json>() });
      },
    });
    await world.operator.flush();
    const reservationId = (await world.post(hello)).headers.get('x-request-id');
    const find = (): Json | undefined =>
      told.find((event) => event['reservationId'] === reservationId);
    await expect.poll(find, { timeout: 5_000 }).toMatchObject({
      subject: 'completion.v1.completed.acc1',
      userId: 'user-of-acc1',
      chargeCredits: '0.0123',
      provenance: 'exact',
    });
    const info = await world.operator.request('$JS.API.STREAM.INFO.COMPLETIONS');
    expect(info.json()).toMatchObject({ config: { max_age: 3_600_000_000_000 } });
    expect(JSON.stringify(told)).not.toContain('"hi"');
  });

  it('splits usage into pools', async () => {
    await world.behave({
      inputTokens: 1_000,
      cachedTokens: 600,
      outputTokens: 300,
      reasoningTokens: 120,
    });
    await world.post({ ...hello, model: 'o3' });
    expect(attemptsOf(world.ledger.of('settle')[0])[0]?.['usage']).toEqual({
      input: 400,
      cache_read: 600,
      output: 180,
      reasoning: 120,
    });
  });
});

describe('a stream', () => {
  const streaming = { ...hello, stream: true, max_tokens: 3 };

  it('shows no usage to a client that did not ask, and is settled before its last byte', async () => {
    let settledAt = Number.POSITIVE_INFINITY;
    world.ledger.answer = (command) => {
      if (command.verb === 'settle') settledAt = performance.now();
      return acceptAll(command);
    };
    const response = await world.post(streaming);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await response.text();
    expect(performance.now()).toBeGreaterThan(settledAt);
    expect(text).not.toContain('usage');
    expect(text).not.toContain('charge');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(eventsOf(text).at(-1)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([
      { provenance: 'exact', usage: { output: 3 }, serviceTier: 'default' },
    ]);
  });

  it('says what it cost to a client that asked', async () => {
    const text = await (
      await world.post({ ...streaming, stream_options: { include_usage: true } })
    ).text();
    const events = eventsOf(text);
    expect(events.slice(0, -1).every((event) => event['usage'] === null)).toBe(true);
    expect(events.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 3, charge_credits: '0.0123', charge_status: 'settled' },
    });
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('passes on what comes as it comes', async () => {
    await world.behave({ chunkIntervalMs: 40 });
    const response = await world.post({ ...streaming, max_tokens: 10 });
    const times: number[] = [];
    for await (const _chunk of response.body ?? []) times.push(performance.now());
    expect(times.length).toBeGreaterThan(5);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(200);
  });

  it('is metered to its end when the client hangs up', async () => {
    await world.behave({ chunkIntervalMs: 10 });
    const hangUp = new AbortController();
    const response = await fetch(`${world.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${world.key}` },
      body: JSON.stringify({ ...streaming, max_tokens: 30 }),
      signal: hangUp.signal,
    });
    await response.body?.getReader().read();
    hangUp.abort();
    await expect.poll(() => world.ledger.of('settle').length, { timeout: 5_000 }).toBe(1);
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([
      { provenance: 'exact', usage: { output: 16 } },
    ]);
  });

  it('that the vendor cuts is settled by what was written, and ends in an error', async () => {
    await world.behave({ failure: 'cut', outputTokens: 20 });
    const text = await (await world.post({ ...streaming, max_tokens: 100 })).text();
    expect(eventsOf(text).at(-1)).toMatchObject({
      error: { code: 'upstream_lost', charge_status: 'settled', provenance: 'estimated' },
    });
    expect(text).not.toContain('[DONE]');
    const [attempt] = attemptsOf(world.ledger.of('settle')[0]);
    expect(attempt).toMatchObject({ provenance: 'estimated', failure: 'broken-off' });
    const output = (attempt?.['usage'] as { output: number }).output;
    expect(output).toBeGreaterThanOrEqual(10);
    expect(output).toBeLessThanOrEqual(20);
  });

  it('whose vendor does not report is settled as estimated, and says so', async () => {
    await world.behave({ failure: 'no-usage', outputTokens: 20 });
    const asked = { ...streaming, max_tokens: 100, stream_options: { include_usage: true } };
    const events = eventsOf(await (await world.post(asked)).text());
    expect(events.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: 25, provenance: 'estimated' },
    });
  });
});
