import { describe, expect, it } from 'vitest';
import {
  appendUntilAnswered,
  checkOrder,
  eventually,
  idsOf,
  lastPosition,
  newCategory,
  newEvents,
  newStream,
  pause,
  type Bench,
} from './contract-kit.js';
import { categoryOf } from './event-store.js';

export const describeSubscribe = (bench: Bench): void => {
  const appendNew = async (category: string, count = 1): Promise<string[]> => {
    const events = newEvents(count);
    await bench.store().append(newStream(category), 'no-stream', events);
    return idsOf(events);
  };

  describe('subscribe', () => {
    it('delivers what is stored, says that it has caught up, and goes on with what comes', async () => {
      const category = newCategory();
      const stored = [...(await appendNew(category, 3)), ...(await appendNew(category, 2))];
      const follower = bench.follow({ categories: [category] });
      await follower.caughtUp;
      expect(idsOf(follower.received)).toEqual(stored);
      const live = await appendNew(category, 4);
      await follower.count(9);
      expect(idsOf(follower.received)).toEqual([...stored, ...live]);
      checkOrder(bench.store(), follower.received);
    });

    it('delivers the events that read gives', async () => {
      const category = newCategory();
      const stream = newStream(category);
      await bench.store().append(stream, 'no-stream', newEvents(3));
      const follower = bench.follow({ categories: [category] });
      await follower.count(3);
      let revision = 0;
      for await (const { recordedAt, ...event } of bench.store().read(stream)) {
        expect(follower.received[revision]).toMatchObject(event);
        expect(recordedAt).toBeInstanceOf(Date);
        revision += 1;
      }
      expect(revision).toBe(3);
    });

    it('resumes after a position, exclusive', async () => {
      const category = newCategory();
      await appendNew(category, 10);
      const all = bench.follow({ categories: [category] });
      await all.count(10);
      for (const index of [0, 4, 8]) {
        const after = all.received[index]?.position ?? '';
        const rest = bench.follow({ categories: [category], after });
        await rest.caughtUp;
        expect(idsOf(rest.received)).toEqual(idsOf(all.received.slice(index + 1)));
      }
      const last = bench.follow({ categories: [category], after: all.received[9]?.position ?? '' });
      await last.caughtUp;
      expect(last.received).toEqual([]);
      const live = await appendNew(category);
      await last.count(1);
      expect(idsOf(last.received)).toEqual(live);
    });

    it('has caught up at once with a category that does not exist, and waits for it', async () => {
      const category = newCategory();
      const follower = bench.follow({ categories: [category] });
      await follower.caughtUp;
      expect(follower.received).toEqual([]);
      const live = await appendNew(category);
      await follower.count(1);
      expect(idsOf(follower.received)).toEqual(live);
    });

    it('says that it has caught up once, after the last handler call that it needed', async () => {
      const category = newCategory();
      await appendNew(category, 20);
      let handled = 0;
      const handledWhenCaughtUp: number[] = [];
      const follower = bench.follow({
        categories: [category],
        batchMax: 3,
        onEvents: async (events) => {
          await pause(20);
          handled += events.length;
        },
        onCaughtUp: () => {
          handledWhenCaughtUp.push(handled);
        },
      });
      await follower.caughtUp;
      await appendNew(category, 2);
      await follower.count(22);
      expect(handledWhenCaughtUp).toEqual([20]);
    });

    it('delivers only its categories: a name that begins alike is another category', async () => {
      const category = newCategory();
      const longer = `${category}note`;
      const third = newCategory();
      const one = bench.follow({ categories: [category] });
      const two = bench.follow({ categories: [third, category] });
      const expected: string[] = [];
      const expectedOfOne: string[] = [];
      for (let round = 0; round < 5; round += 1) {
        const mine = await appendNew(category);
        await appendNew(longer);
        await appendNew(category.slice(0, -1));
        expected.push(...mine, ...(await appendNew(third)));
        expectedOfOne.push(...mine);
      }
      await two.count(10);
      await one.count(5);
      expect(idsOf(two.received)).toEqual(expected);
      expect(idsOf(one.received)).toEqual(expectedOfOne);
      const late = bench.follow({ categories: [third, category] });
      await late.caughtUp;
      expect(idsOf(late.received)).toEqual(expected);
    });

    it('gives batches of at most batchMax, one call at a time', async () => {
      const category = newCategory();
      await appendNew(category, 100);
      let running = 0;
      let concurrent = 0;
      const follower = bench.follow({
        categories: [category],
        batchMax: 7,
        onEvents: async () => {
          running += 1;
          concurrent = Math.max(concurrent, running);
          await pause(1);
          running -= 1;
        },
      });
      await follower.count(100);
      await appendNew(category, 100);
      await follower.count(200);
      expect(Math.max(...follower.batches.map((batch) => batch.length))).toBeLessThanOrEqual(7);
      expect(follower.batches.every((batch) => batch.length > 0)).toBe(true);
      expect(concurrent).toBe(1);
      checkOrder(bench.store(), follower.received);
    });

    it('calls nobody after stop, and stop waits for the call that runs', async () => {
      const category = newCategory();
      let finished = false;
      const stopped = bench.follow({
        categories: [category],
        onEvents: async () => {
          await pause(50);
          finished = true;
        },
      });
      await stopped.caughtUp;
      await appendNew(category);
      await stopped.count(1);
      await stopped.stop();
      expect(finished).toBe(true);
      const witness = bench.follow({ categories: [category] });
      await appendNew(category);
      await witness.count(2);
      expect(stopped.received).toHaveLength(1);
      expect(stopped.errors).toEqual([]);
      await stopped.stop();
    });

    it('ends at a handler that rejects, and passes its error on as it is', async () => {
      const category = newCategory();
      const failure = new Error('the handler failed');
      const failing = bench.follow({
        categories: [category],
        batchMax: 1,
        onEvents: (events) => {
          if (events[0]?.revision === 2) throw failure;
        },
      });
      await appendNew(category, 5);
      await eventually('the error', () => failing.errors.length > 0);
      const witness = bench.follow({ categories: [category] });
      await appendNew(category);
      await witness.count(6);
      expect(failing.errors).toEqual([failure]);
      expect(failing.received).toHaveLength(3);
      await failing.stop();
    });

    it('rests between batches if asked to, but not before a quiet store’s first event', async () => {
      const category = newCategory();
      const restMs = 600;
      const calls: number[] = [];
      const follower = bench.follow({
        categories: [category],
        restMs,
        onEvents: () => {
          calls.push(performance.now());
        },
      });
      await follower.caughtUp;
      const start = performance.now();
      for (let event = 1; event <= 20; event += 1) await appendNew(category);
      await follower.count(20);
      const [first = 0, second = 0] = calls;
      expect(first - start).toBeLessThan(restMs);
      expect(second - first).toBeGreaterThan(restMs * 0.9);
      expect(calls.length).toBeLessThan(20);
    });

    it('misses, repeats and reorders nothing while 16 writers of several instances write', async () => {
      const categories = [newCategory(), newCategory()];
      const noise = newCategory();
      const another = await bench.openAnother();
      const instances = [bench.store(), another, await bench.openAnother()];
      const shared = categories.map((category) => newStream(category));
      const appended = new Set<string>();
      const early = bench.follow({ categories, batchMax: 16 });

      const write = async (writer: number): Promise<void> => {
        const store = instances[writer % instances.length] ?? another;
        const own = newStream(categories[writer % 2]);
        let revision = -1;
        for (let round = 0; round < 12; round += 1) {
          const events = newEvents(1 + ((writer + round) % 3));
          const expected = revision < 0 ? 'no-stream' : revision;
          await appendUntilAnswered(store, [own, expected, events]);
          revision += events.length;
          const more = newEvents(2);
          await store.append(shared[round % 2] ?? '', 'any', more);
          await store.append(newStream(noise), 'no-stream', newEvents(1));
          for (const id of idsOf([...events, ...more])) appended.add(id);
        }
      };
      const writers = Array.from({ length: 16 }, (_, writer) => write(writer));
      await early.count(50);
      const after = early.received[24]?.position ?? '';
      const late = bench.follow({ categories, after, store: another });
      await Promise.all(writers);

      await early.count(appended.size);
      await late.count(appended.size - 25);
      expect(new Set(idsOf(early.received))).toEqual(appended);
      expect(early.received).toHaveLength(appended.size);
      expect(idsOf(late.received)).toEqual(idsOf(early.received.slice(25)));
      checkOrder(bench.store(), early.received);
      const afterAll = bench.follow({ categories });
      await afterAll.caughtUp;
      expect(idsOf(afterAll.received)).toEqual(idsOf(early.received));
    });
  });

  describe('head and positions', () => {
    it('names the last event of the categories, and nothing where there is none', async () => {
      const category = newCategory();
      expect(await bench.store().head([category])).toBeUndefined();
      const stream = newStream(category);
      await bench.store().append(stream, 'no-stream', newEvents(2));
      const first = await lastPosition(bench.store(), stream);
      expect(await bench.store().head([category])).toBe(first);
      const other = newStream();
      await bench.store().append(other, 'no-stream', newEvents(1));
      const second = await lastPosition(bench.store(), other);
      expect(await bench.store().head([category])).toBe(first);
      expect(await bench.store().head([category, categoryOf(other)])).toBe(second);
    });

    it('is not before what was just appended', async () => {
      const stream = newStream();
      await bench.store().append(stream, 'no-stream', newEvents(1));
      const head = await bench.store().head();
      const position = await lastPosition(bench.store(), stream);
      expect(bench.store().comparePositions(head ?? '', position)).toBeGreaterThanOrEqual(0);
    });

    it('compares positions by the order of the appends', async () => {
      const { append, comparePositions } = bench.store();
      const positions: string[] = [];
      for (let count = 0; count < 30; count += 1) {
        const stream = newStream();
        await append(stream, 'no-stream', newEvents(1));
        positions.push(await lastPosition(bench.store(), stream));
      }
      for (const [i, a] of positions.entries()) {
        for (const [j, b] of positions.entries()) {
          expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(i - j));
        }
      }
    });
  });

  describe('the store’s identity', () => {
    it('is one UUID, the same for every instance', async () => {
      const id = await bench.store().storeId();
      expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(await (await bench.openAnother()).storeId()).toBe(id);
    });
  });

  describe('close', () => {
    it('answers what was queued, stops the subscriptions, then refuses', async () => {
      const store = await bench.fixture().open();
      const category = newCategory();
      const follower = bench.follow({ categories: [category], store });
      await follower.caughtUp;
      const queued = Array.from({ length: 5 }, () =>
        store.append(newStream(category), 'no-stream', newEvents(1)),
      );
      const closed = store.close();
      expect((await Promise.all(queued)).map(({ revision }) => revision)).toEqual(Array(5).fill(0));
      await closed;
      const seen = follower.received.length;
      await expect(store.append(newStream(category), 'any', newEvents(1))).rejects.toThrow(
        'closed',
      );
      const witness = bench.follow({ categories: [category] });
      await appendNew(category);
      await witness.count(6);
      expect(follower.received).toHaveLength(seen);
    });
  });
};
