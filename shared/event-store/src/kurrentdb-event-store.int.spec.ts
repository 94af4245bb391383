import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  appendUntilAnswered,
  checkOrder,
  collect,
  eventually,
  follow,
  idsOf,
  newCategory,
  newEvent,
  newEvents,
  newStream,
  pause,
  rejectionOf,
} from './contract-kit.js';
import { describeEventStore } from './event-store.contract.js';
import { StoreUnavailableError, UnknownOutcomeError, type EventStore } from './event-store.js';
import { disposeClient } from './kurrentdb-sender.js';
import {
  openKurrentdbEventStore,
  type KurrentdbEventStoreOptions,
} from './kurrentdb-event-store.js';
import { findKurrentdbNode } from './kurrentdb-node.fixture.js';
import { startLossyProxy, type LossyProxy } from '@tollkeeper/testing';

const node = await findKurrentdbNode();
const url = node?.url ?? '';
const restart = node?.restart;
afterAll(async () => {
  await node?.stop();
});

const open = (options: Partial<KurrentdbEventStoreOptions> = {}): Promise<EventStore> =>
  openKurrentdbEventStore({ url, applicationName: 'contract', ...options });

const withSetting =
  (setting: string) =>
  (address: string): string =>
    `${address}${address.includes('?') ? '&' : '?'}${setting}`;
/** The same node, given the appends of several streams together. */
const merging = withSetting('mergeAppends=true');

/** A node from 26.1 on. */
const nodeMerges = async (): Promise<boolean> => {
  let merges = false;
  const store = await open({ url: merging(url), onMerging: (answer) => (merges = answer) });
  await store.close();
  return merges;
};
const merges = node ? await nodeMerges() : false;

const startProxy = async (): Promise<LossyProxy & { url: string }> => {
  const { hostname, port, search } = new URL(url.replace(/^\w+:/, 'http:'));
  const proxy = await startLossyProxy(hostname, Number(port));
  return { ...proxy, url: `kurrentdb://127.0.0.1:${String(proxy.port)}${search}` };
};

describe.skipIf(!node)('against a node', () => {
  const fixture = (address: (url: string) => string) => () => {
    const proxies: LossyProxy[] = [];
    return Promise.resolve({
      open: () => open({ url: address(url) }),
      openLossy: async () => {
        const proxy = await startProxy();
        proxies.push(proxy);
        const store = await open({ url: address(proxy.url), appendTimeoutMs: 1_000 });
        return { store, ...proxy };
      },
      close: async () => {
        await Promise.all(proxies.map((proxy) => proxy.close()));
      },
    });
  };
  describeEventStore(
    'the KurrentDB store',
    fixture((address) => address),
  );
  describeEventStore(
    'the KurrentDB store with a stream prefix',
    fixture(withSetting('streamPrefix=contract_')),
  );
  describe.skipIf(!merges)('whose version merges', () => {
    describeEventStore('the KurrentDB store with merged appends', fixture(merging));
  });

  describe('the KurrentDB store', () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });
    const opened = async (options?: Partial<KurrentdbEventStoreOptions>): Promise<EventStore> => {
      const store = await open(options);
      ends.push(store.close);
      return store;
    };
    const openedBehindProxy = async (
      options?: Partial<KurrentdbEventStoreOptions>,
    ): Promise<[EventStore, LossyProxy]> => {
      const proxy = await startProxy();
      ends.push(proxy.close);
      return [await opened({ ...options, url: proxy.url }), proxy];
    };

    it('gives metadata back as bytes, which the client would parse', async () => {
      const store = await opened();
      const stream = newStream();
      const metadata = '{ "b" : 1.0,\n"a":1 }';
      const follower = follow(store, { categories: [stream.split('-')[0] ?? ''] });
      await store.append(stream, 'no-stream', [newEvent('{}', metadata)]);
      await follower.count(1);
      expect(follower.received[0]?.metadata).toBe(metadata);
      const [recorded] = await collect(store.read(stream));
      expect(recorded?.metadata).toBe(metadata);
      await follower.stop();
    });

    it('sends 1,000 appends of 20 kB at once without failing a neighbour', async () => {
      const store = await opened({ appendTimeoutMs: 20_000 });
      const data = JSON.stringify('x'.repeat(20_000));
      const results = await Promise.all(
        Array.from({ length: 1_000 }, () =>
          store.append(newStream(), 'no-stream', [newEvent(data)]),
        ),
      );
      expect(results.every(({ revision }) => revision === 0)).toBe(true);
    });

    it('keeps to 16 MiB in flight with appends of nearly 1 MiB', async () => {
      const store = await opened({ appendTimeoutMs: 20_000 });
      const data = JSON.stringify('x'.repeat(1_000_000));
      const results = await Promise.all(
        Array.from({ length: 40 }, () => store.append(newStream(), 'no-stream', [newEvent(data)])),
      );
      expect(results).toHaveLength(40);
    });

    it('loses nothing when the node drops a reader that is slower than its buffer', async () => {
      const store = await opened();
      const category = newCategory();
      const follower = follow(store, {
        categories: [category],
        batchMax: 64,
        onEvents: () => pause(2),
      });
      await follower.caughtUp;
      const ids: string[] = [];
      for (let append = 0; append < 25; append += 1) {
        const events = newEvents(256);
        ids.push(...idsOf(events));
        await store.append(newStream(category), 'no-stream', events);
      }
      await follower.count(ids.length);
      expect(idsOf(follower.received)).toEqual(ids);
      expect(follower.errors).toEqual([]);
      await follower.stop();
    });

    it('goes on appending, reading and delivering over connections that break', async () => {
      const lost: unknown[] = [];
      const [store, proxy] = await openedBehindProxy({ onError: (error) => lost.push(error) });
      const category = newCategory();
      const stream = newStream(category);
      const follower = follow(store, { categories: [category] });
      await follower.caughtUp;
      const ids: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        proxy.cut();
        const events = newEvents(3);
        ids.push(...idsOf(events));
        await appendUntilAnswered(store, [
          stream,
          round === 0 ? 'no-stream' : ids.length - 4,
          events,
        ]);
        // A first read after a break may fail inside the client.
        expect(await collect(store.read(stream))).toHaveLength(ids.length);
      }
      await follower.count(ids.length);
      expect(idsOf(follower.received)).toEqual(ids);
      expect(lost.length).toBeGreaterThan(0);
      expect(follower.errors).toEqual([]);
      await follower.stop();
    });

    it('resumes a subscription of a silent category from a checkpoint, over others’ events', async () => {
      const [store, proxy] = await openedBehindProxy();
      const category = newCategory();
      const follower = follow(store, { categories: [category] });
      await follower.caughtUp;
      for (let append = 0; append < 5; append += 1) {
        await store.append(newStream(), 'no-stream', newEvents(1_000));
      }
      proxy.cut();
      const events = newEvents(1);
      await appendUntilAnswered(store, [newStream(category), 'no-stream', events]);
      await follower.count(1);
      expect(idsOf(follower.received)).toEqual(idsOf(events));
      await follower.stop();
    });

    it('raises no unhandled rejection when a full connection breaks', async () => {
      const [store, proxy] = await openedBehindProxy({ appendTimeoutMs: 3_000 });
      await store.append(newStream(), 'no-stream', newEvents(1));
      const unhandled: unknown[] = [];
      const listen = (error: unknown): void => void unhandled.push(error);
      process.on('unhandledRejection', listen);
      try {
        proxy.stall();
        const data = JSON.stringify('x'.repeat(100_000));
        const appends = Array.from({ length: 300 }, () =>
          store.append(newStream(), 'no-stream', [newEvent(data)]),
        );
        const outcomes = Promise.allSettled(appends);
        await pause(500);
        proxy.heal();
        for (const outcome of await outcomes) {
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toBeInstanceOf(UnknownOutcomeError);
          }
        }
        await pause(50);
        expect(unhandled).toEqual([]);
      } finally {
        process.off('unhandledRejection', listen);
      }
    });

    it('gives up after its own time limit, and works again on a new connection', async () => {
      const [store, proxy] = await openedBehindProxy({ appendTimeoutMs: 400 });
      const [stream, events] = [newStream(), newEvents(2)];
      await store.append(newStream(), 'no-stream', newEvents(1));
      proxy.stall();
      const start = performance.now();
      const error = await rejectionOf(store.append(stream, 'no-stream', events));
      expect(error).toBeInstanceOf(UnknownOutcomeError);
      expect(performance.now() - start).toBeLessThan(1_500);
      proxy.heal();
      await appendUntilAnswered(store, [stream, 'no-stream', events]);
      expect(idsOf(await collect(store.read(stream)))).toEqual(idsOf(events));
    });

    it('passes on that a stream was tombstoned: no retry will help', async () => {
      const store = await opened();
      const stream = newStream();
      await store.append(stream, 'no-stream', newEvents(1));
      const client = KurrentDBClient.connectionString(url);
      await client.tombstoneStream(stream);
      await disposeClient(client);
      const error = await rejectionOf(store.append(stream, 0, newEvents(1)));
      expect(error).not.toBeInstanceOf(UnknownOutcomeError);
      expect(error).toMatchObject({ type: 'stream-deleted' });
    });

    it('closes its sockets, so that Node can exit', async () => {
      const sockets = (): number =>
        process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const before = sockets();
      const store = await open();
      const follower = follow(store, { categories: [newCategory()] });
      await follower.caughtUp;
      await Promise.all(
        Array.from({ length: 20 }, () => store.append(newStream(), 'no-stream', newEvents(1))),
      );
      expect(sockets()).toBeGreaterThan(before);
      await follower.stop();
      await store.close();
      await eventually('closed sockets', () => sockets() <= before, {
        describe: () => `${String(sockets())} open, ${String(before)} before`,
      });
    });

    it('waits a while for a node that is not there, then says so', async () => {
      const nowhere = open({ url: 'kurrentdb://127.0.0.1:1?tls=false', readyTimeoutMs: 500 });
      expect(await rejectionOf(nowhere)).toBeInstanceOf(StoreUnavailableError);
    });

    it('refuses a setting under which the client would answer conflicts wrongly', async () => {
      const error = await rejectionOf(open({ url: `${url}&throwOnAppendFailure=false` }));
      expect(String(error)).toContain('throwOnAppendFailure');
    });

    it.skipIf(!restart)(
      'stores every append exactly once while the node is killed and started again',
      async () => {
        const store = await opened();
        const category = newCategory();
        const follower = follow(store, { categories: [category] });
        await follower.caughtUp;
        let killing = true;
        const write = async (): Promise<[stream: string, ids: string[]]> => {
          const stream = newStream(category);
          const ids: string[] = [];
          while (killing) {
            const events = newEvents(3);
            const expected = ids.length === 0 ? 'no-stream' : ids.length - 1;
            await appendUntilAnswered(store, [stream, expected, events]);
            ids.push(...idsOf(events));
          }
          return [stream, ids];
        };
        const writers = Array.from({ length: 32 }, write);
        for (let kill = 0; kill < 3; kill += 1) {
          await pause(500);
          await restart?.();
        }
        await pause(500);
        killing = false;
        const written = await Promise.all(writers);
        await follower.count(written.reduce((sum, [, ids]) => sum + ids.length, 0));
        for (const [stream, ids] of written) {
          expect(idsOf(await collect(store.read(stream)))).toEqual(ids);
          expect(idsOf(follower.received.filter((event) => event.stream === stream))).toEqual(ids);
        }
        checkOrder(store, follower.received);
        expect(follower.errors).toEqual([]);
        await follower.stop();
      },
      120_000,
    );
  });
});
