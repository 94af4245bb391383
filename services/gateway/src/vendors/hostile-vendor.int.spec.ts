import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningService } from '@tollkeeper/lifecycle';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  attemptsOf,
  errorOf,
  eventsOf,
  hello,
  startWorld,
  type World,
} from '../gateway.fixture.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

describe('an upstream that is hostile', () => {
  let hostile: Server;
  let other: RunningService;
  let answer: (response: ServerResponse) => void;
  const canary = 'sk-canary-do-not-leak';
  const received: string[] = [];

  beforeAll(async () => {
    hostile = createServer((incoming, response) => {
      received.push(JSON.stringify(incoming.headers));
      incoming.resume().on('end', () => answer(response));
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const { port } = hostile.address() as AddressInfo;
    other = await world.start({
      OPENAI_API_KEY: canary,
      OPENAI_BASE_URL: `http://127.0.0.1:${String(port)}/v1`,
      GATEWAY_DATA_DIR: `${world.dir}/hostile`,
    });
  });
  afterAll(async () => {
    await other.stop();
    hostile.closeAllConnections();
    hostile.close();
  });

  const send = (fields: object = {}): Promise<Response> =>
    world.post({ ...hello, max_tokens: 10, ...fields }, {}, other.url);

  it.each<[string, (response: ServerResponse) => void, number]>([
    [
      'quotes our key in a refusal',
      (r) => r.writeHead(401).end(`{"error":{"message":"bad ${canary}"}}`),
      502,
    ],
    [
      'quotes it where the caller is at fault',
      (r) => r.writeHead(400).end(`{"error":{"message":"you sent ${canary}"}}`),
      400,
    ],
    [
      'names our organisation',
      (r) => r.writeHead(429).end('{"error":{"message":"limit of org-canary","code":"x"}}'),
      429,
    ],
    [
      'will not serve us for our own debt',
      (r) => r.writeHead(429).end('{"error":{"code":"insufficient_quota"}}'),
      503,
    ],
    ['redirects', (r) => r.writeHead(302, { location: 'http://169.254.169.254/' }).end(), 502],
    ['answers with HTML', (r) => r.writeHead(200).end('<html>'), 502],
    ['answers with nothing', (r) => r.writeHead(200).end(), 502],
    ['answers with a list', (r) => r.writeHead(200).end('[]'), 502],
    ['closes at once', (r) => r.destroy(), 502],
    ['fails with a huge page', (r) => r.writeHead(500).end('x'.repeat(1 << 20)), 502],
    [
      'lies absurdly about usage',
      (r) => r.end('{"usage":{"prompt_tokens":1e300,"completion_tokens":-1}}'),
      200,
    ],
  ])('and %s harms nobody', async (_what, how, status) => {
    answer = how;
    const response = await send();
    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(/canary|insufficient_quota/);
    expect(world.ledger.seen.length).toBe(2);
    const text = JSON.stringify(world.ledger.seen);
    expect(text).not.toContain(canary);
    expect(text).not.toContain('null');
  });

  it('and names what no store holds is settled without it', async () => {
    const named = { id: 'a\0b\ud83d', model: '\0', service_tier: 'flex\0' };
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    answer = (response) => response.end(JSON.stringify({ ...named, usage }));
    expect((await send()).status).toBe(200);
    const [attempt] = attemptsOf(world.ledger.of('settle')[0]);
    expect(attempt).toMatchObject({ vendorRequestId: 'ab', serviceTier: 'flex' });
    expect(attempt).not.toHaveProperty('answeredModel');
  });

  it('gets its own key and no header of the client', async () => {
    answer = (response) => response.end('{"usage":{"prompt_tokens":1,"completion_tokens":1}}');
    await send();
    expect(received.at(-1)).toContain(`Bearer ${canary}`);
    expect(received.at(-1)).not.toContain(world.key);
  });

  it('and streams an event without an end is broken off and settled', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.on('error', () => undefined);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(1 << 20, 'a'), more);
      };
      more();
    };
    const response = await send({ stream: true });
    expect(await response.text()).toContain('upstream_lost');
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([{ provenance: 'unknown' }]);
  });

  it('and never ends its stream is broken off at the time limit', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => {
        response.write('data: {"choices":[{"delta":{"content":"more"}}]}\n\n');
      }, 20);
      response.on('close', () => clearInterval(timer));
    };
    const text = await (await send({ stream: true })).text();
    expect(eventsOf(text).at(-1)).toMatchObject({ error: { code: 'upstream_timeout' } });
    expect(attemptsOf(world.ledger.of('settle')[0])).toMatchObject([
      { provenance: 'estimated', failure: 'timed-out', usage: { output: 10 } },
    ]);
  });

  it('that cannot be reached costs nothing', async () => {
    const dead = await world.start({
      OPENAI_API_KEY: canary,
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      GATEWAY_DATA_DIR: `${world.dir}/dead`,
    });
    try {
      const response = await world.post(hello, {}, dead.url);
      expect(response.status).toBe(502);
      expect(await errorOf(response)).toMatchObject({ code: 'upstream_unreachable' });
      expect(world.ledger.of('release')).toMatchObject([
        { body: { reason: 'failed', attempts: [{ billed: false, failure: 'unreached' }] } },
      ]);
    } finally {
      await dead.stop();
    }
  });
});
