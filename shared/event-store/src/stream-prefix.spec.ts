import { describe, expect, it } from 'vitest';
import { collect, follow, idsOf, newEvents, rejectionOf } from './contract-kit.js';
import { describeEventStore } from './event-store.contract.js';
import { createMemoryEventStore, createMemoryStorage } from './memory-event-store.js';
import { checkStreamPrefix, withStreamPrefix } from './stream-prefix.js';

describeEventStore('a store with a stream prefix', () => {
  const storage = createMemoryStorage();
  const open = () => withStreamPrefix(createMemoryEventStore(storage), 'mine_');
  return Promise.resolve({
    open: () => Promise.resolve(open()),
    openLossy: () =>
      Promise.resolve({
        store: open(),
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

describe('a store with a stream prefix', () => {
  const shared = () => {
    const whole = createMemoryEventStore();
    return { whole, mine: withStreamPrefix(whole, 'a_'), theirs: withStreamPrefix(whole, 'b_') };
  };

  it('has streams of its own, under the names that its callers give', async () => {
    const { whole, mine, theirs } = shared();
    const [here, there] = [newEvents(2), newEvents(1)];
    await mine.append('credit-x', 'no-stream', here);
    await theirs.append('credit-x', 'no-stream', there);
    expect(idsOf(await collect(mine.read('credit-x')))).toEqual(idsOf(here));
    expect((await collect(mine.read('credit-x')))[0]?.stream).toBe('credit-x');
    expect([await mine.lastRevision('credit-x'), await theirs.lastRevision('credit-x')]).toEqual([
      1, 0,
    ]);
    expect(idsOf(await collect(whole.read('a_credit-x')))).toEqual(idsOf(here));
  });

  it('follows its own events alone, and knows their end', async () => {
    const { mine, theirs } = shared();
    const here = newEvents(2);
    await mine.append('credit-x', 'no-stream', here);
    const last = await mine.head(['credit']);
    await theirs.append('credit-y', 'no-stream', newEvents(3));
    const follower = follow(mine, { categories: ['credit'] });
    await follower.caughtUp;
    expect(idsOf(follower.received)).toEqual(idsOf(here));
    expect(follower.received.map(({ stream }) => stream)).toEqual(['credit-x', 'credit-x']);
    expect(await mine.head(['credit'])).toBe(last);
    await follower.stop();
  });

  it('names the stream of a conflict as its caller does', async () => {
    const { mine } = shared();
    expect(await rejectionOf(mine.append('credit-x', 4, newEvents(1)))).toMatchObject({
      name: 'WrongExpectedRevisionError',
      stream: 'credit-x',
    });
  });

  it.each(['a-b', '$a', 'a b', '', 'x'.repeat(65)])('takes no prefix %o', (prefix) => {
    expect(() => checkStreamPrefix(prefix)).toThrow('streamPrefix');
  });
});
