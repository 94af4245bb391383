import { startLossyProxy, type LossyProxy } from '@tollkeeper/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  appendUntilAnswered,
  collect,
  follow,
  idsOf,
  newCategory,
  newEvent,
  newEvents,
  newStream,
} from './contract-kit.js';
import { describeEventStore } from './event-store.contract.js';
import { UnknownOutcomeError, type EventStore } from './event-store.js';
import {
  startKurrentdbDouble,
  type KurrentdbDouble,
  type KurrentdbDoubleOptions,
} from './kurrentdb-double/kurrentdb-double.fixture.js';
import {
  openKurrentdbEventStore,
  type KurrentdbEventStoreOptions,
} from './kurrentdb-event-store.js';

const openAt = (
  url: string,
  options: Partial<KurrentdbEventStoreOptions> = {},
): Promise<EventStore> =>
  openKurrentdbEventStore({ url: `${url}&mergeAppends=true`, applicationName: 'spec', ...options });

const shared = await startKurrentdbDouble();
afterAll(shared.stop);

describeEventStore('the KurrentDB store with merged appends, against a double', () => {
  const proxies: LossyProxy[] = [];
  return Promise.resolve({
    open: () => openAt(shared.url),
    openLossy: async () => {
      const proxy = await startLossyProxy('127.0.0.1', Number(new URL(shared.url).port));
      proxies.push(proxy);
      const url = `kurrentdb://127.0.0.1:${String(proxy.port)}?tls=false`;
      return { store: await openAt(url, { appendTimeoutMs: 1_000 }), ...proxy };
    },
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  });
});

describe('appends of several streams at KurrentDB', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const started = async (
    double: KurrentdbDoubleOptions = {},
    store: Partial<KurrentdbEventStoreOptions> = {},
  ): Promise<[EventStore, KurrentdbDouble, unknown[]]> => {
    const node = await startKurrentdbDouble(double);
    ends.push(node.stop);
    const told: unknown[] = [];
    const opened = await openAt(node.url, { onError: (error) => told.push(error), ...store });
    ends.push(opened.close);
    node.singles = 0;
    return [opened, node, told];
  };
  const streams = (count: number): string[] => Array.from({ length: count }, () => newStream());
  const appendToEach = (store: EventStore, names: readonly string[]) =>
    Promise.allSettled(names.map((name) => store.append(name, 'no-stream', newEvents(2))));
  const fulfilled = (outcomes: readonly PromiseSettledResult<unknown>[]): number =>
    outcomes.filter(({ status }) => status === 'fulfilled').length;

  it('sends a lone append alone and at once', async () => {
    const [store, node] = await started();
    for (const stream of streams(3)) await store.append(stream, 'no-stream', newEvents(1));
    expect(node.merged).toEqual([]);
    expect(node.singles).toBe(3);
  });

  it('sends what waits behind a call in flight together, up to 128 streams', async () => {
    const [store, node] = await started();
    const names = streams(301);
    expect(fulfilled(await appendToEach(store, names))).toBe(301);
    expect(node.merged).toEqual([128, 128, 44]);
    expect(node.singles).toBe(1);
    for (const name of names) expect(await collect(store.read(name))).toHaveLength(2);
  });

  it('gives payloads and metadata of a merged append back byte for byte', async () => {
    const [store, node] = await started();
    const metadata = '{ "b" : "\\u0000\\ud800 <é> \u2028", \n"a":1.0 }';
    const category = newCategory();
    const events = Array.from({ length: 4 }, () => newEvent('{ "x":1.0 }', metadata));
    const follower = follow(store, { categories: [category] });
    await follower.caughtUp;
    await Promise.all(
      events.map((event) => store.append(newStream(category), 'no-stream', [event])),
    );
    expect(node.merged).toEqual([3]);
    await follower.count(4);
    for (const { stream, id } of follower.received) {
      const [recorded] = await collect(store.read(stream));
      expect(recorded).toMatchObject({ id, data: '{ "x":1.0 }', metadata });
    }
    expect(follower.received.every((event) => event.metadata === metadata)).toBe(true);
    await follower.stop();
  });

  it('refuses the one that conflicts and stores its neighbours', async () => {
    const [store, , told] = await started();
    const names = streams(40);
    const taken = names[17] ?? '';
    await store.append(taken, 'no-stream', newEvents(3));
    const outcomes = await appendToEach(store, names);
    expect(fulfilled(outcomes)).toBe(39);
    expect(outcomes[17]).toMatchObject({
      status: 'rejected',
      reason: { name: 'WrongExpectedRevisionError', stream: taken, actual: 2 },
    });
    expect(told).toEqual([]);
  });

  it('answers appends that were stored before beside appends that were not', async () => {
    const [store] = await started();
    const appends = streams(20).map((stream) => ({ stream, events: newEvents(2) }));
    const sendAll = (some: typeof appends) =>
      Promise.all(some.map(({ stream, events }) => store.append(stream, 'no-stream', events)));
    await sendAll(appends.slice(0, 10));
    expect(await sendAll(appends)).toEqual(Array(20).fill({ revision: 1 }));
    expect(await sendAll(appends)).toEqual(Array(20).fill({ revision: 1 }));
    for (const { stream, events } of appends) {
      expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
    }
  });

  it('never retries an append behind any revision by itself, and does not merge it', async () => {
    const [store, node, told] = await started();
    const names = streams(10);
    await Promise.all(names.map((name) => store.append(name, 'any', newEvents(1))));
    expect(told).toEqual([]);
    expect(node.merged).toEqual([]);
    for (const name of names) expect(await collect(store.read(name))).toHaveLength(1);
  });

  it('keeps streams apart that differ in case only', async () => {
    const [store, node, told] = await started();
    const category = newCategory();
    const names = ['x', 'a', 'A', 'b', 'B'].map((id) => `${category}-${id}`);
    expect(fulfilled(await appendToEach(store, names))).toBe(5);
    for (const name of names) expect(await collect(store.read(name))).toHaveLength(2);
    expect(node.merged).toEqual([2, 2]);
    expect(told).toEqual([]);
  });

  it('sends one by one what the node takes for too large together, and says so', async () => {
    const [store, node, told] = await started({ appendBytesMax: 1_000 });
    const data = JSON.stringify('x'.repeat(400));
    const outcomes = await Promise.allSettled(
      streams(10).map((name) => store.append(name, 'no-stream', [newEvent(data)])),
    );
    expect(fulfilled(outcomes)).toBe(10);
    expect(node.merged).toEqual([9]);
    expect(told).toHaveLength(1);
  });

  it('keeps a merged call below 1 MiB', async () => {
    const [store, node, told] = await started();
    const data = JSON.stringify('x'.repeat(300_000));
    const outcomes = await Promise.allSettled(
      streams(9).map((name) => store.append(name, 'no-stream', [newEvent(data)])),
    );
    expect(fulfilled(outcomes)).toBe(9);
    expect(node.merged).toEqual([3, 3, 2]);
    expect(told).toEqual([]);
  });

  it('goes by single appends where a node is not the leader, for they find it', async () => {
    const [store, node, told] = await started();
    node.fault = 'not the leader';
    expect(fulfilled(await appendToEach(store, streams(10)))).toBe(10);
    expect(node.singles).toBe(10);
    expect(told.length).toBeGreaterThan(0);
  });

  it('gives up a call that is not answered; the same appends again are stored once', async () => {
    const [store, node] = await started({}, { appendTimeoutMs: 300 });
    const appends = streams(10).map((stream) => ({ stream, events: newEvents(2) }));
    node.fault = 'no answer';
    const outcomes = await Promise.allSettled(
      appends.map(({ stream, events }) => store.append(stream, 'no-stream', events)),
    );
    const unknown = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    expect(unknown).toHaveLength(9);
    expect(unknown.every((error) => error instanceof UnknownOutcomeError)).toBe(true);
    node.fault = undefined;
    for (const { stream, events } of appends) {
      await appendUntilAnswered(store, [stream, 'no-stream', events]);
      expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
    }
  });

  it.each([
    ['has AppendRecords', true],
    ['does not', false],
  ])('says once whether it merges: a node that %s', async (_, hasAppendRecords) => {
    const said: boolean[] = [];
    const [store, node] = await started(
      { hasAppendRecords },
      { onMerging: (merging) => said.push(merging) },
    );
    expect(fulfilled(await appendToEach(store, streams(20)))).toBe(20);
    expect(said).toEqual([hasAppendRecords]);
    expect(node.merged.length > 0).toBe(hasAppendRecords);
  });

  it('does not merge unless it is asked to', async () => {
    const node = await startKurrentdbDouble();
    ends.push(node.stop);
    const store = await openKurrentdbEventStore({ url: node.url, applicationName: 'spec' });
    ends.push(store.close);
    expect(fulfilled(await appendToEach(store, streams(20)))).toBe(20);
    expect(node.merged).toEqual([]);
  });
});
