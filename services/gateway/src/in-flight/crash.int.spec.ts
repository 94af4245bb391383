import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  acceptAll,
  attemptsOf,
  json,
  postTo,
  refused,
  startChild,
  startSurroundings,
  type Json,
  type SeenCommand,
} from '../gateway.fixture.js';

const callers = 200;
const body = {
  model: 'gpt-4o',
  stream: true,
  max_tokens: 50,
  messages: [{ role: 'user', content: 'hi' }],
};

let around: Awaited<ReturnType<typeof startSurroundings>>;
beforeAll(async () => {
  around = await startSurroundings();
});
afterAll(() => around.stop());

/** A ledger that knows which reservations are open, and lets each end once. */
const strictLedger = () => {
  const open = new Set<unknown>();
  const ended = new Map<unknown, SeenCommand>();
  const answer = (command: SeenCommand): object | undefined => {
    const { verb, body: fields } = command;
    if (verb === 'reserve') {
      open.add(fields['commandId']);
      return acceptAll(command);
    }
    const id = fields['reservationId'];
    if (ended.has(id)) return refused('reservation-closed', false);
    if (!open.delete(id)) return refused('unknown-reservation', false);
    ended.set(id, command);
    return acceptAll(command);
  };
  return { open, ended, answer };
};

describe('a gateway that is killed', () => {
  it('ends every call once after its restart, and the vendor’s bill differs only where that is said', async () => {
    const ledger = strictLedger();
    around.ledger.answer = ledger.answer;
    await around.behave({ latencyMs: 50, chunkIntervalMs: 5, outputTokens: 40, hangUp: 'stop' });
    const env = { ...around.env, RESERVE_TIMEOUT_MS: '1000' };
    const first = await startChild('gateway', env);
    const key = await around.issueKey('acc1');

    const answered: string[] = [];
    const complete = async (index: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, index * 2));
      const response = await postTo(first.url, key, body);
      const text = await response.text();
      if (text.endsWith('data: [DONE]\n\n')) {
        answered.push(response.headers.get('x-request-id') ?? '');
      }
    };
    const calls = Promise.allSettled(
      Array.from({ length: callers }, (_, index) => complete(index)),
    );
    await expect.poll(() => ledger.ended.size, { timeout: 20_000 }).toBeGreaterThan(20);
    await first.kill('SIGKILL');
    await calls;

    const second = await startChild('gateway', env);
    try {
      await expect.poll(() => ledger.open.size, { timeout: 30_000 }).toBe(0);
      await expect
        .poll(async () => (await json(await fetch(`${second.url}/healthz`)))['journal'], {
          timeout: 10_000,
        })
        .toEqual({ open: 0 });
      const settled = [...ledger.ended.values()].filter(({ verb }) => verb === 'settle');
      const exact = settled.filter((each) => attemptsOf(each)[0]?.['provenance'] === 'exact');
      expect(settled.length).toBeGreaterThan(exact.length);
      const byId = new Map(exact.map((each) => [each.body['reservationId'], each]));
      for (const id of answered) expect(byId.has(id)).toBe(true);
      for (const line of await around.invoice()) {
        const end = ledger.ended.get(line['clientRequestId']);
        expect(end?.verb).toBe('settle');
        const [attempt] = attemptsOf(end) as [Json];
        if (attempt['provenance'] !== 'exact') continue;
        expect(attempt['usage']).toEqual({
          input: line['promptTokens'],
          output: line['completionTokens'],
        });
      }
      expect((await postTo(second.url, key, { ...body, stream: false })).status).toBe(200);
    } finally {
      await second.kill('SIGTERM');
    }
  });

  it('does not share its directory with another one', async () => {
    const first = await startChild('gateway', around.env);
    await expect(startChild('gateway', around.env)).rejects.toThrow('ended before it was ready');
    await first.kill('SIGKILL');
    const next = await startChild('gateway', around.env);
    await next.kill('SIGTERM');
  });

  it('lets calls that run come to their end when it is asked to stop', async () => {
    const ledger = strictLedger();
    around.ledger.answer = ledger.answer;
    await around.behave({ latencyMs: 600 });
    const gateway = await startChild('gateway', around.env);
    const key = await around.issueKey('acc1');
    const call = postTo(gateway.url, key, { ...body, stream: false });
    await expect.poll(() => ledger.open.size).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopped = gateway.kill('SIGTERM');
    expect((await call).status).toBe(200);
    await stopped;
    expect(ledger.open.size).toBe(0);
    expect(gateway.process.exitCode).toBe(0);
  });
});
