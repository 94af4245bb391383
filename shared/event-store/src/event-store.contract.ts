import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { describeAppend } from './append.contract.js';
import { follow, type Bench, type EventStoreFixture } from './contract-kit.js';
import type { EventStore } from './event-store.js';
import { describeRead } from './read.contract.js';
import { describeSubscribe } from './subscribe.contract.js';

export type { EventStoreFixture, LossyStore } from './contract-kit.js';

/** Every promise of the port. An adapter's test file is one call, and lines for traps that are its own. */
export const describeEventStore = (
  name: string,
  createFixture: () => Promise<EventStoreFixture>,
): void => {
  describe(`${name} keeps the contract of the event store`, () => {
    let fixture: EventStoreFixture | undefined;
    let store: EventStore | undefined;
    const ends: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      fixture = await createFixture();
      store = await fixture.open();
    }, 120_000);
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });
    afterAll(async () => {
      await store?.close();
      await fixture?.close();
    }, 60_000);

    const bench: Bench = {
      fixture: () => present(fixture),
      store: () => present(store),
      openAnother: async () => {
        const another = await present(fixture).open();
        ends.push(another.close);
        return another;
      },
      follow: (options) => {
        const follower = follow(options.store ?? present(store), options);
        ends.push(follower.stop);
        return follower;
      },
    };
    describeAppend(bench);
    describeRead(bench);
    describeSubscribe(bench);
  });
};

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('the fixture could not be set up');
  return value;
};
