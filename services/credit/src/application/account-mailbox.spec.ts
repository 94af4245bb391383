import {
  creditStream,
  eventHash,
  fromStoredCredit,
  genesisHash,
  type CreditAccountEvent,
} from '@tollkeeper/events';
import {
  createMemoryEventStore,
  UnknownOutcomeError,
  type EventStore,
  type RecordedEvent,
} from '@tollkeeper/event-store';
import { formatMoney, parseMoney, sumMoney, uuidv7 } from '@tollkeeper/kernel';
import { createLogger, type Logger } from '@tollkeeper/telemetry';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lookRequest } from '../credit-request.js';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import {
  priceBook,
  release,
  reservePlain,
  settlePlain,
} from '../domain/credit-account/credit-account.fixture.js';
import { charge, setLimit } from '../domain/credit-account/limits.fixture.js';
import { defaultRules } from '../domain/credit-account/rules.js';
import { availableCredits } from '../domain/credit-account/state.js';
import { CreditAccounts, defaultQueueLimits, type QueueLimits } from './credit-accounts.js';
import type { Outcome } from './submission.js';

const logger = createLogger('credit-spec');
logger.level = 'silent';

const serve = (
  store: EventStore,
  limits: QueueLimits = defaultQueueLimits,
  logs: Logger = logger,
) => {
  let nowMs = Date.parse('2026-03-01T12:00:00.000Z');
  const accounts = new CreditAccounts(
    {
      store,
      prices: priceBook(),
      clock: { now: () => new Date(nowMs), isSteady: () => true },
      logger: logs,
      rules: defaultRules,
      reservationTtlMs: 720_000,
    },
    limits,
  );
  return {
    accounts,
    setTime: (iso: string) => (nowMs = Date.parse(iso)),
    send: (command: CreditCommand | undefined, deadlineAtMs?: number): Promise<Outcome> =>
      accounts.submit('acc_1', {
        command,
        urgent: command?.type !== 'ReserveAmount' && command?.type !== 'Charge',
        deadlineAtMs,
        correlationId: undefined,
        causationId: undefined,
        actor: 'spec',
        answer: (account, at) => ({
          available: formatMoney(availableCredits(account, at.getTime())),
        }),
      }),
  };
};

type Service = ReturnType<typeof serve>;

const fund = async (service: Service, amount: string): Promise<void> => {
  await service.send({
    type: 'OpenAccount',
    commandId: 'open',
    commandHash: 'open',
    kind: 'personal',
    ownerUserId: 'usr_1',
    tier: 'pro',
    timeZone: 'UTC',
  });
  await service.send({
    type: 'GrantCredits',
    commandId: 'grant',
    commandHash: `grant ${amount}`,
    kind: 'purchase',
    amountCredits: parseMoney(amount),
    priority: 100,
    effectiveAt: undefined,
    expiresAt: undefined,
    costBasisUsd: undefined,
    externalReference: undefined,
  });
};

const eventsOf = async (store: EventStore): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of store.read(creditStream('acc_1'))) events.push(event);
  return events;
};

const reasonOf = (outcome: Outcome): string =>
  outcome.type === 'refused' ? outcome.refusal.reason : 'accepted';

describe('an account’s mailbox', () => {
  it('serves exactly as many of five hundred callers as the credits cover', async () => {
    const store = createMemoryEventStore();
    const service = serve(store);
    await fund(service, '100');
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, n) => service.send(reservePlain(`r${String(n)}`, '1'))),
    );
    expect(outcomes.filter((outcome) => outcome.type === 'accepted')).toHaveLength(100);
    expect(
      outcomes.map(reasonOf).filter((reason) => reason === 'insufficient-credits'),
    ).toHaveLength(400);
  });

  it('decides together what came in while an append was in flight', async () => {
    const store = createMemoryEventStore();
    const appends: number[] = [];
    const counting: EventStore = {
      ...store,
      append: async (stream, expected, events) => {
        appends.push(events.length);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return store.append(stream, expected, events);
      },
    };
    const service = serve(counting);
    await fund(service, '100');
    appends.length = 0;
    const first = service.send(reservePlain('r0', '1'));
    await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([
      first,
      ...Array.from({ length: 50 }, (_, n) => service.send(reservePlain(`q${String(n)}`, '1'))),
    ]);
    expect(appends).toEqual([1, 50]);
  });

  it('lets no outcome out before the events that its decision saw are stored', async () => {
    const store = createMemoryEventStore();
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let hold = false;
    const slow: EventStore = {
      ...store,
      append: async (...args) => {
        if (hold) await held;
        return store.append(...args);
      },
    };
    const service = serve(slow);
    await fund(service, '1');
    hold = true;
    const settled: string[] = [];
    const accepted = service.send(reservePlain('r1', '1')).then(() => settled.push('accepted'));
    const refused = service.send(reservePlain('r2', '1')).then(() => settled.push('refused'));
    const looked = service.send(undefined).then(() => settled.push('looked'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(settled).toEqual([]);
    letGo();
    await Promise.all([accepted, refused, looked]);
    expect(settled).toHaveLength(3);
  });

  it('retries an append of unknown outcome by the same ids, and stores it once', async () => {
    const store = createMemoryEventStore();
    const ids: string[][] = [];
    let lost = 0;
    const lossy: EventStore = {
      ...store,
      append: async (stream, expected, events) => {
        ids.push(events.map((event) => event.id));
        const result = await store.append(stream, expected, events);
        if (lost++ === 2) throw new UnknownOutcomeError('the reply was lost');
        return result;
      },
    };
    const service = serve(lossy);
    await fund(service, '10');
    expect(reasonOf(await service.send(reservePlain('r1', '4')))).toBe('accepted');
    expect(ids[2]).toEqual(ids[3]);
    expect(await eventsOf(store)).toHaveLength(3);
  });

  it('decides anew on the true state when another writer was faster', async () => {
    const store = createMemoryEventStore();
    const here = serve(store);
    const there = serve(store);
    await fund(here, '10');
    await there.send(reservePlain('warm', '1'));
    const outcomes = await Promise.all([
      ...Array.from({ length: 10 }, (_, n) => here.send(reservePlain(`h${String(n)}`, '1'))),
      ...Array.from({ length: 10 }, (_, n) => there.send(reservePlain(`t${String(n)}`, '1'))),
    ]);
    expect(outcomes.filter((outcome) => outcome.type === 'accepted')).toHaveLength(9);
  });

  it('refuses a command that is taken up after its deadline', async () => {
    const service = serve(createMemoryEventStore());
    await fund(service, '10');
    const past = Date.parse('2026-03-01T11:59:59.000Z');
    expect(reasonOf(await service.send(reservePlain('r1', '1'), past))).toBe('too-late');
  });

  it('sheds reserves beyond its bound, and never a settle', async () => {
    const service = serve(createMemoryEventStore(), {
      ...defaultQueueLimits,
      commandsPerAccountMax: 10,
    });
    await fund(service, '100');
    await service.send(reservePlain('first', '1'));
    const reserves = Array.from({ length: 30 }, (_, n) =>
      service.send(reservePlain(`r${String(n)}`, '1')),
    );
    const settle = service.send(settlePlain('first', '1'));
    const outcomes = await Promise.all(reserves);
    expect(outcomes.map(reasonOf).filter((reason) => reason === 'overloaded')).toHaveLength(20);
    expect(reasonOf(await settle)).toBe('accepted');
  });

  it('sheds looks beyond its bound, as reserves', async () => {
    const service = serve(createMemoryEventStore(), {
      ...defaultQueueLimits,
      commandsPerAccountMax: 10,
    });
    await fund(service, '100');
    const look = lookRequest(() => ({}));
    const looks = Array.from({ length: 30 }, () => service.accounts.submit('acc_1', look));
    const outcomes = await Promise.all(looks);
    expect(outcomes.map(reasonOf).filter((reason) => reason === 'overloaded')).toHaveLength(20);
  });

  it('holds deadlines and rates by the clock, where the stream is ahead of it', async () => {
    const service = serve(createMemoryEventStore());
    await fund(service, '10');
    const rate = { window: 'minute', unit: 'requests', amount: '1', mode: 'rate' } as const;
    await service.send(setLimit({ scope: { type: 'account' }, ...rate }));
    service.setTime('2026-03-01T13:00:00.000Z');
    await service.send(charge('x1', '1'));
    const reasons: string[] = [];
    for (const minute of ['05', '06', '08']) {
      const now = `2026-03-01T12:${minute}:00.000Z`;
      service.setTime(now);
      const deadlineAtMs = Date.parse(now) + 10_000;
      reasons.push(reasonOf(await service.send(charge(`at-${minute}`, '1'), deadlineAtMs)));
    }
    expect(reasons).toEqual(['accepted', 'rate-limited', 'accepted']);
  });

  it('keeps stream time when the wall clock runs backwards', async () => {
    const store = createMemoryEventStore();
    const service = serve(store);
    await fund(service, '10');
    service.setTime('2026-03-01T11:00:00.000Z');
    await service.send(reservePlain('r1', '1'));
    const last = (await eventsOf(store)).at(-1);
    expect(last && fromStoredCredit(last).metadata.occurredAt).toBe('2026-03-01T12:00:00.000Z');
  });

  it('chains every event to the one before, from the stream’s name on', async () => {
    const store = createMemoryEventStore();
    const service = serve(store);
    await fund(service, '10');
    await service.send(reservePlain('r1', '1'));
    await service.send(settlePlain('r1', '0.5'));
    let hash = genesisHash('credit-acc_1');
    for (const event of await eventsOf(store)) {
      expect(fromStoredCredit(event).metadata.prevHash).toBe(hash);
      hash = eventHash(event);
    }
  });

  it('lets a decision that throws be retried, and carries out its neighbours', async () => {
    const service = serve(createMemoryEventStore());
    await fund(service, '10');
    const broken = reservePlain('bad', '1');
    Object.defineProperty(broken, 'amountCredits', {
      get: () => {
        throw new Error('a bug');
      },
    });
    const outcomes = await Promise.all([
      service.send(broken),
      service.send(reservePlain('r1', '1')),
    ]);
    expect(outcomes.map(reasonOf)).toEqual(['internal', 'accepted']);
    expect(outcomes[0]).toMatchObject({ refusal: { retryable: true } });
  });

  it('tells a failing store apart, without its details', async () => {
    const store = createMemoryEventStore();
    const failing: EventStore = {
      ...store,
      append: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:5432')),
    };
    const outcome = await serve(failing).send({
      type: 'OpenAccount',
      commandId: 'open',
      commandHash: 'open',
      kind: 'personal',
      ownerUserId: 'usr_1',
      tier: 'pro',
      timeZone: 'UTC',
    });
    expect(reasonOf(outcome)).toBe('store-unavailable');
    expect(JSON.stringify(outcome)).not.toContain('10.0.0.1');
  });

  it('parks an account whose events cannot be read, and only that one', async () => {
    const store = createMemoryEventStore();
    await store.append('credit-acc_1', 'no-stream', [
      { id: uuidv7(), type: 'FromTheFuture', data: '{}', metadata: '{}' },
    ]);
    expect(reasonOf(await serve(store).send(reservePlain('r1', '1')))).toBe('account-parked');
  });

  it('reads a parked account again after half a minute, though commands keep coming', async () => {
    const store = createMemoryEventStore();
    await fund(serve(store), '10');
    let broken = true;
    let reads = 0;
    const service = serve({
      ...store,
      read: async function* (...args) {
        reads += 1;
        for await (const event of store.read(...args)) {
          yield broken ? { ...event, type: 'FromTheFuture' } : event;
        }
      },
    });
    const reasonAt = async (second: string): Promise<string> => {
      service.setTime(`2026-03-01T12:00:${second}.000Z`);
      return reasonOf(await service.send(reservePlain(`r${second}`, '1')));
    };
    expect(await reasonAt('00')).toBe('account-parked');
    broken = false;
    expect([await reasonAt('10'), await reasonAt('20')]).toEqual([
      'account-parked',
      'account-parked',
    ]);
    expect(reads).toBe(1);
    expect(await reasonAt('30')).toBe('accepted');
  });

  it('refuses a command alone whose event the store does not take, and carries out its neighbours', async () => {
    const service = serve(createMemoryEventStore());
    await fund(service, '10');
    const poison = { ...reservePlain('bad', '1'), purpose: { userId: 'x'.repeat(1_100_000) } };
    const outcomes = await Promise.all([
      ...['r1', 'r2', 'r3'].map((id) => service.send(reservePlain(id, '1'))),
      service.send(poison),
      ...['r4', 'r5'].map((id) => service.send(reservePlain(id, '1'))),
      service.send(undefined),
    ]);
    expect(outcomes.map(reasonOf)).toEqual([
      ...['accepted', 'accepted', 'accepted', 'invalid-request', 'accepted', 'accepted'],
      'accepted',
    ]);
    expect(outcomes[3]).toMatchObject({ refusal: { retryable: false } });
    expect(await service.send(undefined)).toMatchObject({ answer: { available: '5' } });
  });

  it('never lets drawn, open and lapsed credits exceed what was granted, whatever the order', async () => {
    const id = fc.integer({ min: 0, max: 7 }).map((n) => `r${String(n)}`);
    const amount = fc
      .integer({ min: 1, max: 400 })
      .map((n) => (n / 100).toFixed(2).replace(/\.?0+$/, ''));
    const command = fc.oneof(
      fc.tuple(id, amount).map(([r, a]) => reservePlain(r, a)),
      fc.tuple(id, amount).map(([r, a]) => settlePlain(r, a)),
      id.map((r) => release(r)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const store = createMemoryEventStore();
        const service = serve(store);
        await fund(service, '10');
        await Promise.all(commands.map((each) => service.send(each)));
        checkPromises((await eventsOf(store)).map(fromStoredCredit));
      }),
      { numRuns: 300 },
    );
  });
});

describe('an append that is not answered', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is told at once, and again each time that it has waited twice as long, from a minute on', async () => {
    vi.useFakeTimers();
    const toldAfterMs: unknown[] = [];
    const warn = ({ waitedMs }: { waitedMs: unknown }) => toldAfterMs.push(waitedMs);
    const store = createMemoryEventStore();
    let isAway = true;
    const service = serve(
      {
        ...store,
        append: (...args) =>
          isAway ? Promise.reject(new UnknownOutcomeError('for ever')) : store.append(...args),
      },
      defaultQueueLimits,
      { ...logger, warn },
    );
    const funded = fund(service, '10');
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await funded;
    const minutes = toldAfterMs.map((ms) => Math.floor(Number(ms) / 60_000));
    expect(minutes).toEqual([0, 1, 2, 4, 8]);
  });
});

/** Promises 1 and 2, by an account of its own: amounts from the events, not the domain's state. */
const checkPromises = (events: readonly CreditAccountEvent[]): void => {
  const open = new Map<string, string>();
  const ended = new Set<string>();
  let drawn = parseMoney('0');
  const sum = (parts: readonly { amountCredits: string }[]) =>
    sumMoney(parts.map((part) => parseMoney(part.amountCredits)));
  for (const event of events) {
    if (event.type === 'Reserved') open.set(event.data.reservationId, event.data.amountCredits);
    if (event.type === 'Settled' || event.type === 'Released') {
      expect(ended.has(event.data.reservationId)).toBe(false);
      ended.add(event.data.reservationId);
      open.delete(event.data.reservationId);
    }
    if (event.type === 'Settled') {
      drawn = drawn.plus(sum(event.data.drawn)).plus(sum(event.data.drawnBeyond ?? []));
    }
    if (event.type === 'SettledLate') drawn = drawn.plus(sum(event.data.drawn));
    const held = sumMoney([...open.values()].map(parseMoney));
    expect(drawn.plus(held).lte('10')).toBe(true);
  }
};
