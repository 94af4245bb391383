import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { uuidv7 } from '@tollkeeper/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SnapshotWriter } from './application/snapshot-writer.js';
import type { Verb } from './credit.convert.js';
import { defaultForgetting } from './domain/credit-account/memory.js';
import {
  logger,
  memoryBucket,
  packed,
  SpecService,
  startMs,
  type ServiceOptions,
} from './remembering.fixture.js';

const minuteMs = 60_000;
const keepsNothing = { closedMs: 0, closedMax: 0 };

const serve = async (options: ServiceOptions = {}): Promise<SpecService> => {
  const service = new SpecService({ forgetting: defaultForgetting, ...options });
  await service.open();
  return service;
};

const call = {
  candidates: [{ provider: 'openai', model: 'gpt-4o' }],
  bounds: { inputTokens: 1000, outputTokens: 100 },
};
const used = (output: number, provenance = 'exact') => ({
  attempts: [{ provider: 'openai', model: 'gpt-4o', provenance, usage: { input: 1000, output } }],
});
const amount = (amountCredits: string) => ({ amountCredits });

describe('an account that forgets closed reservations', () => {
  it('gives a retry weeks later the first answers', async () => {
    const service = await serve();
    const id = uuidv7(startMs);
    const commands: [Verb, string, object][] = [
      ['reserve', id, call],
      ['settle', 's', { reservationId: id, ...used(50, 'estimated') }],
      ['correct', 'c', { reservationId: id, ...used(40) }],
    ];
    const first: object[] = [];
    for (const command of commands) first.push(await service.send(...command));
    expect(first).toMatchObject([{ status: 'accepted' }, {}, { status: 'accepted' }]);
    const stored = (await service.events()).length;

    service.nowMs += 21 * 24 * 60 * minuteMs;
    await service.send('charge', uuidv7(service.nowMs), amount('1'));
    expect(service.size.entries).toBe(3);
    for (const [place, command] of commands.entries()) {
      expect(await service.send(...command)).toEqual(first[place]);
      service.nowMs += 16 * minuteMs;
      await service.send('charge', uuidv7(service.nowMs), amount('1'));
    }
    expect(await service.events()).toHaveLength(stored + 2 * 4);
    expect(service.index.asked).toBe(3);
  });

  it('refuses what differs from the first time, weeks later too', async () => {
    const service = await serve({ forgetting: keepsNothing });
    const id = uuidv7(startMs);
    await service.send('charge', id, amount('2'));
    const replies = [
      await service.send('charge', id, amount('3')),
      await service.send('settle', 's', { reservationId: id, ...amount('3') }),
      await service.send('release', 'r', { reservationId: id, reason: 'failed' }),
    ];
    expect(replies).toMatchObject([
      { reason: 'replay-mismatch' },
      { reason: 'replay-mismatch' },
      { reason: 'reservation-closed' },
    ]);
  });

  it('forgets by stream time and by number, and open reservations never', async () => {
    const service = await serve({ forgetting: { closedMs: 15 * minuteMs, closedMax: 5 } });
    await service.send('reserve', uuidv7(startMs), amount('1'));
    for (let n = 0; n < 20; n += 1) await service.send('charge', uuidv7(startMs), amount('1'));
    expect(service.size.entries).toBe(1 + 1 + 1 + 5);
    service.nowMs += 15 * minuteMs;
    await service.send('charge', uuidv7(service.nowMs), amount('1'));
    expect(service.size.entries).toBe(1 + 1 + 1 + 1);
  });

  it('decides an id that is newer than all forgotten ones without asking anybody', async () => {
    const service = await serve({ forgetting: keepsNothing });
    service.index.away = true;
    for (let n = 0; n < 50; n += 1) {
      const id = uuidv7(startMs + n);
      expect(await service.send('charge', id, amount('1'))).toMatchObject({ status: 'accepted' });
    }
    const unknown = { reservationId: uuidv7(startMs + 50), reason: 'failed' };
    expect(await service.send('release', 'r', unknown)).toMatchObject({
      reason: 'unknown-reservation',
    });
    expect(service.index.asked).toBe(0);
  });

  it.each([
    ['an older UUIDv7', uuidv7(startMs - 1), uuidv7(startMs)],
    ['of the same millisecond', uuidv7(startMs), uuidv7(startMs)],
    ['an id of another kind', 'order-1', 'order-0'],
  ])('carries out a new reserve whose id is %s, after a look', async (_, id, forgotten) => {
    const service = await serve({ forgetting: keepsNothing });
    await service.send('charge', forgotten, amount('1'));
    expect(await service.send('reserve', id, amount('1'))).toMatchObject({ status: 'accepted' });
    expect(service.index.asked).toBe(1);
    const never = { reservationId: 'order-9', reason: 'failed' };
    expect(await service.send('release', 'r', never)).toMatchObject({
      reason: 'unknown-reservation',
    });
  });

  it.each([
    ['lags', (service: SpecService) => (service.index.lag = 1)],
    ['is away', (service: SpecService) => (service.index.away = true)],
  ])('says so when the index %s, and never “unknown”', async (_, hinder) => {
    const service = await serve({ forgetting: keepsNothing });
    const id = uuidv7(startMs);
    const first = await service.send('charge', id, amount('1'));
    hinder(service);
    const behind = { reason: 'index-behind', retryable: true };
    expect(await service.send('charge', id, amount('1'))).toMatchObject(behind);
    const late = { reservationId: id, reason: 'failed' };
    expect(await service.send('release', 'r', late)).toMatchObject(behind);
    service.index.lag = 0;
    service.index.away = false;
    expect(await service.send('charge', id, amount('1'))).toEqual(first);
  });

  it('lets the others go on while one waits', async () => {
    const service = await serve({ forgetting: keepsNothing });
    const id = uuidv7(startMs);
    await service.send('charge', id, amount('1'));
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const look = service.index.look.bind(service.index);
    service.index.look = async (...asked) => {
      await held;
      return look(...asked);
    };
    let answered = false;
    const waiting = service.send('charge', id, amount('1')).then((reply) => {
      answered = true;
      return reply;
    });
    for (let n = 1; n < 20; n += 1) {
      await service.send('charge', uuidv7(startMs + n), amount('1'));
    }
    expect(answered).toBe(false);
    answer();
    expect(await waiting).toMatchObject({ status: 'accepted', chargeCredits: '1' });
  });

  it('keeps the number of entries under the bound over many accounts', async () => {
    const entriesMax = 2_000;
    const service = new SpecService({
      forgetting: { closedMs: 15 * minuteMs, closedMax: 15 },
      limits: { accountsMax: 500, entriesMax },
    });
    const accounts = Array.from({ length: 2_000 }, (_, n) => `acc_${String(n)}`);
    let most = 0;
    for (let from = 0; from < accounts.length; from += 50) {
      const some = accounts.slice(from, from + 50);
      await Promise.all(some.map((accountId) => service.open(accountId)));
      for (let round = 0; round < 2; round += 1) {
        await Promise.all(
          some.flatMap((accountId) =>
            Array.from({ length: 10 }, () =>
              service.send('charge', uuidv7(service.nowMs), amount('1'), accountId),
            ),
          ),
        );
        most = Math.max(most, service.size.entries);
        expect(service.size.accounts).toBeLessThanOrEqual(500);
      }
    }
    expect(most).toBeLessThanOrEqual(entriesMax);
    expect(most).toBeGreaterThan(entriesMax / 2);
  }, 300_000);
});

describe('a load', () => {
  const eager = { eventsMin: 1, everyMs: 0, lastEventsMin: 1 };

  /** Counts the events that are read. */
  const counting = (): { readonly store: EventStore; read: number } => {
    const store = createMemoryEventStore();
    const counter = {
      read: 0,
      store: {
        ...store,
        read: async function* (...args: Parameters<EventStore['read']>) {
          for await (const event of store.read(...args)) {
            counter.read += 1;
            yield event;
          }
        },
      },
    };
    return counter;
  };

  it('begins at the snapshot', async () => {
    const counter = counting();
    const service = await serve({ store: counter.store });
    for (let n = 0; n < 200; n += 1) await service.send('charge', uuidv7(startMs), amount('1'));
    await service.restart();
    counter.read = 0;
    const id = uuidv7(startMs + 1);
    expect(await service.send('charge', id, amount('1'))).toMatchObject({ status: 'accepted' });
    expect(counter.read).toBe(1);
  });

  it.each<[string, (text: string) => string | Uint8Array]>([
    ['of another version', (text) => text.replace(/"schema":"\w+"/, '"schema":"0"')],
    ['of another stream', (text) => text.replace(/"lastHash":"\w/, '"lastHash":"x')],
    [
      'of a revision that is not there',
      (text) => text.replace(/"revision":(\d+)/g, '"revision":9$1'),
    ],
    ['that is cut off', (text) => text.slice(0, 100)],
    ['whose bytes are cut off', (text) => packed(text).subarray(0, 100)],
    ['that was not packed', (text) => Buffer.from(text)],
    ['with a broken amount', (text) => text.replace(/"available":"\d+"/, '"available":"many"')],
    ['without a field', (text) => text.replace('"timeZone"', '"timezone"')],
  ])('ignores a snapshot %s', async (_, spoil) => {
    const bucket = memoryBucket();
    const service = await serve({ bucket, snapshotRule: eager });
    await service.send('charge', uuidv7(startMs), amount('400'));
    await service.restart();
    const text = bucket.textOf('acc_1');
    expect(spoil(text)).not.toEqual(text);
    const spoilt = spoil(text);
    bucket.values.set('acc_1', typeof spoilt === 'string' ? packed(spoilt) : spoilt);
    const asked = uuidv7(startMs);
    expect(await service.send('charge', asked, amount('601'))).toMatchObject({
      reason: 'insufficient-credits',
      details: { available: '600' },
    });
  });

  it('does without a bucket that fails, and without a snapshot that is too large', async () => {
    const broken = { ...memoryBucket(), get: () => Promise.reject(new Error('away')) };
    const small = memoryBucket(100);
    for (const bucket of [broken, small]) {
      const service = await serve({ bucket, snapshotRule: eager });
      await service.send('charge', uuidv7(startMs), amount('400'));
      await service.restart();
      expect(await service.send('charge', uuidv7(startMs), amount('600'))).toMatchObject({
        status: 'accepted',
      });
    }
    expect(small.values.size).toBe(0);
  });

  it('reads the snapshots of a bucket that takes no more', async () => {
    const bucket = memoryBucket();
    const full = { ...bucket, put: () => Promise.reject(new Error('full')) };
    const service = await serve({ bucket, snapshotRule: eager });
    await service.send('charge', uuidv7(startMs), amount('400'));
    await service.restart();
    const text = bucket.textOf('acc_1');
    const writer = new SnapshotWriter(full, logger);
    writer.offer('acc_2', { revision: 0, lastHash: '', state: {} });
    await writer.flushed(10_000);
    expect(text).toContain(`"revision":${String((await writer.find('acc_1'))?.revision)}`);
  });

  it('finds a snapshot where a thousand reservations are open', async () => {
    const bucket = memoryBucket();
    const service = await serve({ bucket, snapshotRule: eager });
    await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        service.send('reserve', uuidv7(startMs + n), {
          ...call,
          userId: `user_${String(n)}`,
          bounds: { inputTokens: n, outputTokens: 100 },
        }),
      ),
    );
    await service.restart();
    expect(bucket.textOf('acc_1').length).toBeGreaterThan(bucket.valueBytesMax);
    const revision = (await service.events()).length - 1;
    expect(bucket.textOf('acc_1')).toContain(`"revision":${String(revision)}`);
  });

  it('finds snapshots that are made on, when the clock was put back', async () => {
    const bucket = memoryBucket();
    const rule = { eventsMin: 1, everyMs: 1_000, lastEventsMin: 1_000 };
    const service = await serve({ bucket, snapshotRule: rule });
    service.nowMs += 60 * minuteMs;
    await service.send('charge', uuidv7(startMs), amount('1'));
    service.nowMs -= 60 * minuteMs;
    await service.send('charge', uuidv7(startMs), amount('1'));
    await service.restart();
    expect(bucket.textOf('acc_1')).toContain(
      `"revision":${String((await service.events()).length - 1)}`,
    );
  });

  it('finds no older snapshot than there was, when a former owner learns that it is none any more', async () => {
    const bucket = memoryBucket();
    const store = createMemoryEventStore();
    const rule = { eventsMin: 1_000, everyMs: 0, lastEventsMin: 1 };
    const former = await serve({ store, bucket, snapshotRule: rule });
    const next = new SpecService({ store, forgetting: defaultForgetting, bucket });
    for (let n = 0; n < 50; n += 1) {
      await next.send('charge', uuidv7(startMs + n), amount('1'));
    }
    await next.restart();
    const newest = bucket.textOf('acc_1');
    expect(newest).toContain(
      `"revision":${String((await store.lastRevision('credit-acc_1')) ?? 0)}`,
    );
    former.lose('acc_1');
    await former.restart();
    expect(bucket.textOf('acc_1')).toBe(newest);
  });

  it.each([
    ['with the index', false],
    ['without the index', true],
  ])('folds a correction of what it has forgotten, %s', async (_, away) => {
    const service = await serve({ forgetting: keepsNothing, bucket: memoryBucket(0) });
    const id = uuidv7(startMs);
    await service.send('reserve', id, call);
    await service.send('settle', 's', { reservationId: id, ...used(100, 'estimated') });
    await service.send('correct', 'c1', { reservationId: id, ...used(10) });
    await service.send('correct', 'c2', { reservationId: id, ...used(60) });
    const late = uuidv7(startMs);
    await service.send('reserve', late, amount('10'));
    await service.send('release', 'r', { reservationId: late, reason: 'failed' });
    await service.send('settle', 'l', { reservationId: late, ...amount('4') });
    service.crash();
    service.index.away = away;
    const look = { amountCredits: '10000' };
    const refused = await service.send('charge', uuidv7(startMs + 1), look);
    // 0.0031 USD × 1.5 ÷ 0.01 USD, and 4.
    expect(refused).toMatchObject({ details: { available: '995.535' } });
  });
});

describe('forgetting', () => {
  /** Ids of both kinds, made now or some time ago. */
  const reservationIds = Array.from({ length: 10 }, (_, n) =>
    n < 7 ? uuidv7(startMs + (n - 3) * 5 * minuteMs) : `order-${String(n)}`,
  );
  const id = fc.constantFrom(...reservationIds);
  const figure = fc.integer({ min: 1, max: 9 });
  interface Sent {
    readonly verb: Verb;
    readonly commandId: string;
    readonly body: object;
  }
  const sent = (verb: Verb, commandId: string, body: object): Sent => ({ verb, commandId, body });
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(id, figure)
        .map(([r, n]) => sent('reserve', r, n % 3 === 0 ? amount('2') : call)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(id, figure)
        .map(([r, n]) => sent('charge', r, amount(String((n % 2) + 1)))),
    },
    {
      weight: 5,
      arbitrary: fc.tuple(id, figure).map(([r, n]) =>
        sent('settle', `settle-${r}`, {
          reservationId: r,
          ...(n % 3 === 0 ? amount('1') : used(n * 20)),
        }),
      ),
    },
    {
      weight: 3,
      arbitrary: id.map((r) =>
        sent('release', `release-${r}`, { reservationId: r, reason: 'failed' }),
      ),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(id, figure).map(([r, n]) =>
        sent('correct', `correct-${String(n % 3)}-${r.slice(-8)}`, {
          reservationId: r,
          ...used(n * 15),
        }),
      ),
    },
    { weight: 3, arbitrary: fc.constantFrom('minutes', 'restart', 'crash', 'lag', 'away') },
  );

  it('changes no answer and no event, whatever is repeated, lost or late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.constantFrom(0, 1, 3),
        fc.constantFrom(1, 7, 1_000),
        async (steps, closedMax, eventsMin) => {
          const remembers = new SpecService();
          const forgets = new SpecService({
            forgetting: { closedMs: 15 * minuteMs, closedMax },
            bucket: memoryBucket(),
            snapshotRule: { eventsMin, everyMs: 0, lastEventsMin: eventsMin },
          });
          await Promise.all([remembers.open(), forgets.open()]);
          for (const step of steps) {
            if (typeof step === 'string') {
              if (step === 'minutes') remembers.nowMs = forgets.nowMs += 6 * minuteMs;
              if (step === 'lag') forgets.index.lag = 2;
              if (step === 'away') forgets.index.away = true;
              if (step === 'restart') await forgets.restart();
              if (step === 'crash') forgets.crash();
              continue;
            }
            const { verb, commandId, body } = step;
            const expected = await remembers.send(verb, commandId, body);
            let reply = await forgets.send(verb, commandId, body);
            if ('reason' in reply && reply.reason === 'index-behind') {
              forgets.index.lag = 0;
              forgets.index.away = false;
              reply = await forgets.send(verb, commandId, body);
            }
            expect(reply).toEqual(expected);
          }
          expect(await forgets.events()).toEqual(await remembers.events());
        },
      ),
      { numRuns: 400 },
    );
  }, 300_000);
});
