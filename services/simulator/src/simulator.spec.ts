import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningService } from '@tollkeeper/lifecycle';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from './simulator.config.js';
import { startSimulator } from './simulator.js';

type Json = Record<string, unknown>;

let dir: string;
let simulator: RunningService;
const start = async (): Promise<void> => {
  simulator = await startSimulator(readConfig({ SIM_DATA_DIR: dir, SIM_OUTPUT_TOKENS: '4' }));
};
const complete = (fields: object, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(`${simulator.url ?? ''}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'hi' }],
      ...fields,
    }),
    ...init,
  });
const invoice = async (query = ''): Promise<Json[]> => {
  const text = await (await fetch(`${simulator.url ?? ''}/sim/invoice${query}`)).text();
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);
};
const behave = (behaviour: object): Promise<Response> =>
  fetch(`${simulator.url ?? ''}/sim/behaviour`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(behaviour),
  });
const eventsOf = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as Json);

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'toll-simulator-'));
  await start();
});
afterEach(async () => {
  await simulator.stop();
  rmSync(dir, { recursive: true });
});

describe('the simulated vendor', () => {
  it('answers in OpenAI’s format and bills what it says', async () => {
    const body = (await (await complete({ n: 2 }, { 'x-client-request-id': 'r1' })).json()) as Json;
    expect(body).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0 }, { index: 1 }],
      usage: { completion_tokens: 8, prompt_tokens_details: { cached_tokens: 0 } },
    });
    expect(await invoice()).toMatchObject([
      { vendorRequestId: body['id'], clientRequestId: 'r1', completionTokens: 8, billed: true },
    ]);
  });

  it('streams usage as OpenAI does: null in every chunk but the last, and only when asked', async () => {
    const plain = await (await complete({ stream: true })).text();
    expect(plain).not.toContain('usage');
    expect(plain.endsWith('data: [DONE]\n\n')).toBe(true);
    const asked = await complete({ stream: true, stream_options: { include_usage: true } });
    const events = eventsOf(await asked.text());
    expect(events.slice(0, -1).every((event) => event['usage'] === null)).toBe(true);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 4 } });
  });

  it('keeps within the limit, and reaches it where it is told to bill the bound', async () => {
    const three = (await (await complete({ max_tokens: 3 })).json()) as Json;
    expect(three).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { completion_tokens: 3 },
    });
    await behave({ outputTokens: 'max', inputTokens: 41 });
    const most = (await (await complete({ max_completion_tokens: 100 })).json()) as Json;
    expect(most['usage']).toMatchObject({ prompt_tokens: 41, completion_tokens: 100 });
  });

  it.each([
    ['status-400', 400],
    ['status-429', 429],
    ['status-500', 500],
  ])('fails with %s and bills nothing', async (failure, status) => {
    expect((await complete({}, { 'x-sim-failure': failure })).status).toBe(status);
    expect(await invoice()).toEqual([]);
  });

  it('cuts a stream midway and bills what it wrote', async () => {
    const response = await complete({ stream: true }, { 'x-sim-failure': 'cut' });
    await expect(response.text()).rejects.toThrow();
    expect(await invoice()).toMatchObject([{ completionTokens: 2 }]);
  });

  it('behaves by model, by share, and by what a request says', async () => {
    await behave({ models: { broken: { failure: 'status-500', failureRate: 0.5 } } });
    const statuses: number[] = [];
    for (let each = 0; each < 4; each++)
      statuses.push((await complete({ model: 'broken' })).status);
    expect(statuses).toEqual([200, 500, 200, 500]);
    expect((await complete({}, { 'x-sim-latency-ms': 'soon' })).status).toBe(400);
    expect((await behave({ latencyMs: -1 })).status).toBe(400);
  });

  it.each([
    ['stop', (tokens: number) => tokens < 400],
    ['drain', (tokens: number) => tokens === 400],
  ])('bills a client that hangs up for what was generated: %s', async (hangUp, holds) => {
    await behave({ hangUp, chunkIntervalMs: 1, outputTokens: 400 });
    const hangingUp = new AbortController();
    const response = await complete({ stream: true }, {}, { signal: hangingUp.signal });
    await response.body?.getReader().read();
    hangingUp.abort();
    await expect.poll(invoice, { timeout: 10_000 }).toHaveLength(1);
    const [line] = await invoice();
    expect(holds(line?.['completionTokens'] as number)).toBe(true);
  });

  it('keeps its invoice through a restart, and tells it from a time on', async () => {
    await complete({});
    const [first] = await invoice();
    await simulator.stop();
    // The question includes its moment, and a call fits into a millisecond.
    await expect.poll(() => new Date().toISOString() > String(first?.['at'])).toBe(true);
    const between = new Date().toISOString();
    await start();
    await complete({ model: 'o3' });
    expect(await invoice()).toMatchObject([{ model: 'gpt-4o' }, { model: 'o3' }]);
    expect(await invoice(`?since=${between}`)).toMatchObject([{ model: 'o3' }]);
  });
});
