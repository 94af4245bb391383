import { describe, expect, it, vi } from 'vitest';
import { eventually, follow, newEvents } from './contract-kit.js';
import { describeEventStore } from './event-store.contract.js';
import { InvalidEventError } from './event-store.js';
import { createMemoryEventStore, createMemoryStorage } from './memory-event-store.js';

describeEventStore('the memory store', () => {
  const storage = createMemoryStorage();
  return Promise.resolve({
    open: () => Promise.resolve(createMemoryEventStore(storage)),
    openLossy: () =>
      Promise.resolve({
        store: createMemoryEventStore(storage),
        loseReplies: () => {
          storage.repliesLost = true;
        },
        heal: () => {
          storage.repliesLost = false;
        },
      }),
    close: () => Promise.resolve(),
  });
});

describe('the memory store', () => {
  it('stores nothing before its caller awaits', async () => {
    const store = createMemoryEventStore();
    const appended = store.append('credit-a', 'no-stream', newEvents(1));
    expect(await store.head()).toBeUndefined();
    await appended;
    expect(await store.head()).toBe('1');
  });

  it('keeps what it was given, not the objects', async () => {
    const store = createMemoryEventStore();
    const [event] = newEvents(1);
    const mutable = { ...event, data: '{"n":0}' } as { data: string };
    await store.append('credit-a', 'no-stream', [mutable as never]);
    mutable.data = '{"n":1}';
    for await (const { data } of store.read('credit-a')) expect(data).toBe('{"n":0}');
  });

  it('refuses an id that is stored in another place, as PostgreSQL does', async () => {
    const store = createMemoryEventStore();
    const events = newEvents(1);
    await store.append('credit-a', 'no-stream', events);
    await expect(store.append('credit-b', 'no-stream', events)).rejects.toThrow(InvalidEventError);
    await expect(store.append('credit-a', 0, events)).rejects.toThrow(InvalidEventError);
  });

  it('delivers under a fake clock', async () => {
    vi.useFakeTimers();
    try {
      const store = createMemoryEventStore();
      const follower = follow(store, { categories: ['credit'] });
      await follower.caughtUp;
      await store.append('credit-a', 'no-stream', newEvents(2));
      for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
      expect(follower.received).toHaveLength(2);
      await follower.stop();
    } finally {
      vi.useRealTimers();
    }
    await eventually('real time', () => true);
  });
});
