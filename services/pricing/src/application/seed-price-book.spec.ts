import { describe, expect, test, vi } from 'vitest';
import { eventHash, fromStoredPriceBook, genesisHash } from '@tollkeeper/events';
import {
  createMemoryEventStore,
  createMemoryStorage,
  type EventStore,
  type RecordedEvent,
} from '@tollkeeper/event-store';
import { seedStreams } from '../domain/price-book/seed-streams.js';
import { vendorPrices } from '../seed/vendor-prices.js';
import { PriceBookReplica } from './price-book-replica.js';
import { seedPriceBook } from './seed-price-book.js';

const streams = seedStreams(vendorPrices());
const names = streams.map(({ stream }) => stream);
const now = new Date('2026-08-01T12:00:00.000Z');

const eventsOf = async (store: EventStore, stream: string): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const event of store.read(stream)) events.push(event);
  return events;
};

const replicaOf = (store: EventStore): PriceBookReplica =>
  new PriceBookReplica(store, (error) => {
    throw error;
  });

describe('seedPriceBook', () => {
  test('begins every stream, so that a replica prices the models', async () => {
    const store = createMemoryEventStore();
    const replica = replicaOf(store);
    await replica.caughtUp;
    expect(await seedPriceBook(store, streams, now)).toBe(streams.length);
    await replica.holds(names);

    const gpt4o = replica.prices.priceAt({ provider: 'openai', model: 'gpt-4o' }, now);
    expect(gpt4o?.id).toBe('openai:gpt-4o@1');
    const question = { provider: 'openai', model: 'gpt-4o', tier: 'free' };
    expect(replica.prices.multiplierFor(question, now)?.ruleId).toBe('tier:free@1');
    expect(replica.prices.policyAt(now)?.id).toBe('credit-policy@1');
    await replica.stop();
  });

  test('chains each stream by hashes, from the stream’s name on', async () => {
    const store = createMemoryEventStore();
    await seedPriceBook(store, streams, now);
    for (const { stream, events } of streams) {
      const recorded = await eventsOf(store, stream);
      expect(recorded.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
      let prevHash = genesisHash(stream);
      for (const event of recorded) {
        const { metadata } = fromStoredPriceBook(event);
        expect(metadata).toMatchObject({ prevHash, actor: 'seed', occurredAt: now.toISOString() });
        prevHash = eventHash(event);
      }
    }
  });

  test('adds nothing the second time', async () => {
    const store = createMemoryEventStore();
    await seedPriceBook(store, streams, now);
    const head = await store.head();
    expect(await seedPriceBook(store, streams, new Date('2026-08-02T00:00:00.000Z'))).toBe(0);
    expect(await store.head()).toBe(head);
  });

  test('begins each stream once when two instances race', async () => {
    const storage = createMemoryStorage();
    const stores = [createMemoryEventStore(storage), createMemoryEventStore(storage)];
    const replicas = stores.map(replicaOf);
    const begun = await Promise.all(stores.map((store) => seedPriceBook(store, streams, now)));
    expect(begun.reduce((sum, count) => sum + count, 0)).toBe(streams.length);
    expect(storage.events).toHaveLength(streams.flatMap(({ events }) => events).length);
    for (const replica of replicas) {
      await replica.holds(names);
      await replica.stop();
    }
  });

  test('repeats an append whose answer was lost, with the same ids', async () => {
    const storage = createMemoryStorage();
    const store = createMemoryEventStore(storage);
    storage.repliesLost = true;
    const seeding = seedPriceBook(store, streams.slice(0, 3), now);
    await vi.waitFor(() => expect(storage.streams.size).toBe(3));
    storage.repliesLost = false;
    expect(await seeding).toBe(3);
    expect(storage.events).toHaveLength(streams.slice(0, 3).flatMap(({ events }) => events).length);
  });

  test('leaves a stream alone that someone has gone on with', async () => {
    const store = createMemoryEventStore();
    const [policy] = streams;
    if (!policy) throw new Error('no seed');
    await seedPriceBook(store, [policy], now);
    const before = await eventsOf(store, policy.stream);
    expect(await seedPriceBook(store, streams, now)).toBe(streams.length - 1);
    expect(await eventsOf(store, policy.stream)).toEqual(before);
  });
});

describe('PriceBookReplica', () => {
  test('knows which streams it holds, and waits for those that come', async () => {
    const store = createMemoryEventStore();
    const replica = replicaOf(store);
    await replica.caughtUp;
    const [policy, rule] = streams;
    if (!policy || !rule) throw new Error('no seed');
    expect(replica.has(policy.stream)).toBe(false);
    const both = replica.holds([policy.stream, rule.stream]);
    await seedPriceBook(store, [policy, rule], now);
    await both;
    expect(replica.has(policy.stream)).toBe(true);
    await replica.holds([policy.stream]);
    await replica.stop();
  });

  test('reports an event that it cannot read', async () => {
    const store = createMemoryEventStore();
    const broken = vi.fn();
    const replica = new PriceBookReplica(store, broken);
    const event = { id: crypto.randomUUID(), type: 'PriceGuessed', data: '{}', metadata: '{}' };
    await store.append('vendorPrice-openai:gpt-4o', 'no-stream', [event]);
    await vi.waitFor(() => expect(broken).toHaveBeenCalledOnce());
    await replica.stop();
  });
});
