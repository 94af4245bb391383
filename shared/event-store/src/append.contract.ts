import { describe, expect, it } from 'vitest';
import {
  appendUntilAnswered,
  collect,
  idsOf,
  newEvent,
  newEvents,
  newStream,
  rejectionOf,
  type Bench,
} from './contract-kit.js';
import {
  AppendTooLargeError,
  InvalidEventError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  appendBytesMax,
  type ExpectedRevision,
  type NewEvent,
} from './event-store.js';

export const describeAppend = (bench: Bench): void => {
  const append = (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) =>
    bench.store().append(stream, expected, events);
  const idsIn = async (stream: string) => idsOf(await collect(bench.store().read(stream)));

  const expectConflict = async (
    promise: Promise<unknown>,
    stream: string,
    expected: ExpectedRevision,
    actual: number | undefined,
  ) => {
    const error = await rejectionOf(promise);
    expect(error).toBeInstanceOf(WrongExpectedRevisionError);
    expect(error).toMatchObject({ stream, expected, actual });
  };

  describe('expected revision', () => {
    it('counts revisions from 0 and answers the last one of the append', async () => {
      const stream = newStream();
      expect((await append(stream, 'no-stream', newEvents(1))).revision).toBe(0);
      expect((await append(stream, 0, newEvents(3))).revision).toBe(3);
      expect((await append(stream, 3, newEvents(1))).revision).toBe(4);
    });

    it('stores with any, whether or not the stream exists', async () => {
      const stream = newStream();
      const [first, second] = [newEvents(2), newEvents(2)];
      expect((await append(stream, 'any', first)).revision).toBe(1);
      expect((await append(stream, 'any', second)).revision).toBe(3);
      expect(await idsIn(stream)).toEqual(idsOf([...first, ...second]));
    });

    it('refuses a revision that is behind, ahead, or of a stream that does not exist', async () => {
      const stream = newStream();
      await expectConflict(append(stream, 0, newEvents(1)), stream, 0, undefined);
      await append(stream, 'no-stream', newEvents(3));
      await expectConflict(append(stream, 1, newEvents(1)), stream, 1, 2);
      await expectConflict(append(stream, 3, newEvents(1)), stream, 3, 2);
      await expectConflict(append(stream, 'no-stream', newEvents(1)), stream, 'no-stream', 2);
    });

    it('stores nothing of a refused append', async () => {
      const stream = newStream();
      const stored = newEvents(2);
      await append(stream, 'no-stream', stored);
      await rejectionOf(append(stream, 0, newEvents(5)));
      await rejectionOf(append(stream, 7, newEvents(5)));
      expect(await idsIn(stream)).toEqual(idsOf(stored));
    });

    it('lets exactly one of 8 racers win a revision, over several instances', async () => {
      const another = await bench.openAnother();
      const stream = newStream();
      await append(stream, 'no-stream', newEvents(1));
      for (let revision = 0; revision < 10; revision += 1) {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, (_, racer) =>
            (racer % 2 ? another : bench.store()).append(stream, revision, newEvents(1)),
          ),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toBeInstanceOf(WrongExpectedRevisionError);
          }
        }
      }
      expect(await idsIn(stream)).toHaveLength(11);
    });

    it('stores 64 chained appends in order without awaiting each', async () => {
      const stream = newStream();
      const events = newEvents(64);
      const results = await Promise.all(
        events.map((event, index) =>
          append(stream, index === 0 ? 'no-stream' : index - 1, [event]),
        ),
      );
      expect(results.map(({ revision }) => revision)).toEqual(events.map((_, index) => index));
      expect(await idsIn(stream)).toEqual(idsOf(events));
    });

    it('answers each of many concurrent appends for itself while some conflict', async () => {
      const taken = Array.from({ length: 10 }, () => newStream());
      await Promise.all(taken.map((stream) => append(stream, 'no-stream', newEvents(1))));
      const free = Array.from({ length: 90 }, () => newStream());
      const streams = [...free, ...taken].sort();
      const outcomes = await Promise.allSettled(
        streams.map((stream, index) => append(stream, 'no-stream', newEvents(1 + (index % 3)))),
      );
      for (const [index, outcome] of outcomes.entries()) {
        const stream = streams[index] ?? '';
        if (taken.includes(stream)) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { stream, actual: 0 } });
        } else {
          expect(outcome).toMatchObject({ status: 'fulfilled', value: { revision: index % 3 } });
          expect(await idsIn(stream)).toHaveLength(1 + (index % 3));
        }
      }
    });
  });

  describe('idempotency', () => {
    it('answers the first result again for the same ids at the same place', async () => {
      const stream = newStream();
      const [first, second] = [newEvents(2), newEvents(3)];
      const firstResult = await append(stream, 'no-stream', first);
      expect(await append(stream, 'no-stream', first)).toEqual(firstResult);
      const secondResult = await append(stream, 1, second);
      expect(await append(stream, 1, second)).toEqual(secondResult);
      expect(await idsIn(stream)).toEqual(idsOf([...first, ...second]));
    });

    it('does so after later events too, and for another instance', async () => {
      const another = await bench.openAnother();
      const stream = newStream();
      const [first, second] = [newEvents(2), newEvents(2)];
      const firstResult = await append(stream, 'no-stream', first);
      const secondResult = await append(stream, 1, second);
      await append(stream, 3, newEvents(4));
      expect(await another.append(stream, 'no-stream', first)).toEqual(firstResult);
      expect(await another.append(stream, 1, second)).toEqual(secondResult);
      expect(await idsIn(stream)).toHaveLength(8);
    });

    it('answers alike when the same append is sent many times at once', async () => {
      const another = await bench.openAnother();
      const stream = newStream();
      const events = newEvents(3);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          // A node may let the time pass on some of them; that is an unknown outcome like any other.
          appendUntilAnswered(index % 2 ? another : bench.store(), [stream, 'no-stream', events]),
        ),
      );
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
      expect(await idsIn(stream)).toEqual(idsOf(events));
    });

    it('refuses old ids at another place, and other ids at an old place', async () => {
      const stream = newStream();
      const events = newEvents(3);
      await append(stream, 'no-stream', events);
      await expectConflict(append(stream, 0, events), stream, 0, 2);
      await expectConflict(append(stream, 5, events), stream, 5, 2);
      await expectConflict(append(stream, 'no-stream', newEvents(3)), stream, 'no-stream', 2);
      await expectConflict(
        append(stream, 'no-stream', [...events].reverse()),
        stream,
        'no-stream',
        2,
      );
    });

    it('refuses a mix of old and new ids', async () => {
      const stream = newStream();
      const [a, b, c] = newEvents(3) as [NewEvent, NewEvent, NewEvent];
      await append(stream, 'no-stream', [a, b]);
      await expectConflict(append(stream, 'no-stream', [a, c]), stream, 'no-stream', 1);
      await expectConflict(append(stream, 'no-stream', [a, b, c]), stream, 'no-stream', 1);
      await expectConflict(append(stream, 0, [b, c]), stream, 0, 1);
      expect(await idsIn(stream)).toEqual(idsOf([a, b]));
    });

    it('takes the start of a longer append for stored before, as the node does', async () => {
      const stream = newStream();
      const events = newEvents(3);
      await append(stream, 'no-stream', events);
      expect((await append(stream, 'no-stream', events.slice(0, 2))).revision).toBe(1);
      expect(await idsIn(stream)).toEqual(idsOf(events));
    });
  });

  describe('an unknown outcome', () => {
    it('is resolved by the same append again: its events are stored exactly once', async () => {
      const lossy = await bench.fixture().openLossy();
      try {
        const stream = newStream();
        const [before, lost, after] = [newEvents(1), newEvents(3), newEvents(2)];
        await lossy.store.append(stream, 'no-stream', before);
        lossy.loseReplies();
        const error = await rejectionOf(lossy.store.append(stream, 0, lost));
        expect(error).toBeInstanceOf(UnknownOutcomeError);
        // It was stored: that is what makes the plain retry dangerous and the promise worth testing.
        expect(await idsIn(stream)).toEqual(idsOf([...before, ...lost]));
        lossy.heal();
        expect((await appendUntilAnswered(lossy.store, [stream, 0, lost])).revision).toBe(3);
        await lossy.store.append(stream, 3, after);
        expect(await idsIn(stream)).toEqual(idsOf([...before, ...lost, ...after]));
      } finally {
        await lossy.store.close();
      }
    });

    it('is each append’s own when many are in flight', async () => {
      const lossy = await bench.fixture().openLossy();
      try {
        await lossy.store.append(newStream(), 'no-stream', newEvents(1));
        const appends = Array.from({ length: 20 }, () => ({
          stream: newStream(),
          events: newEvents(2),
        }));
        lossy.loseReplies();
        const outcomes = await Promise.allSettled(
          appends.map(({ stream, events }) => lossy.store.append(stream, 'no-stream', events)),
        );
        for (const outcome of outcomes) {
          expect(outcome).toMatchObject({ status: 'rejected' });
        }
        lossy.heal();
        for (const { stream, events } of appends) {
          await appendUntilAnswered(lossy.store, [stream, 'no-stream', events]);
          expect(await idsIn(stream)).toEqual(idsOf(events));
        }
      } finally {
        await lossy.store.close();
      }
    });
  });

  describe('refusals before anything is stored', () => {
    const refuses = async (
      promise: Promise<unknown>,
      kind: typeof InvalidEventError | typeof AppendTooLargeError,
    ) => {
      expect(await rejectionOf(promise)).toBeInstanceOf(kind);
    };

    it('refuses an append of no events', async () => {
      await refuses(append(newStream(), 'no-stream', []), InvalidEventError);
    });

    it.each([
      '',
      'x',
      '-x',
      'x-',
      '$ce-x',
      'a b-c',
      'x-a\nb',
      'x-\u0000',
      'x-\ud800',
      `x-${'y'.repeat(201)}`,
    ])('refuses the stream name %j', async (stream) => {
      await refuses(append(stream, 'any', newEvents(1)), InvalidEventError);
    });

    it.each(['', 'x', '0192f0c8-5b1a-7c3d-9f2e', '0192F0C8-5B1A-7C3D-9F2E-AAAAAAAAAAAA'])(
      'refuses the event id %j',
      async (id) => {
        await refuses(append(newStream(), 'no-stream', [{ ...newEvent(), id }]), InvalidEventError);
      },
    );

    it.each(['', '$metadata', 'a b', 'x'.repeat(101)])(
      'refuses the event type %j',
      async (type) => {
        const event = { ...newEvent(), type };
        await refuses(append(newStream(), 'no-stream', [event]), InvalidEventError);
      },
    );

    it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
      'refuses the expected revision %d',
      async (expected) => {
        await refuses(append(newStream(), expected, newEvents(1)), InvalidEventError);
      },
    );

    it('refuses the same id twice in one append', async () => {
      const stream = newStream();
      const event = newEvent();
      await refuses(append(stream, 'no-stream', [event, newEvent(), event]), InvalidEventError);
      expect(await idsIn(stream)).toEqual([]);
    });

    it.each([
      '',
      ' ',
      '{',
      '{} {}',
      '{}\u001e{}',
      "{'a':1}",
      '[1,]',
      '01',
      'NaN',
      'undefined',
      '"a\nb"',
      '"\u0000"',
      '"\ud800"',
      '"\\x"',
      '\ufeff{}',
    ])('refuses the payload %j, as data and as metadata, and no neighbour', async (payload) => {
      const stream = newStream();
      const neighbours = [newStream(), newStream(), newStream()];
      const [bad, alsoBad, ...good] = await Promise.allSettled([
        append(stream, 'no-stream', [newEvent(), newEvent(payload), newEvent()]),
        append(newStream(), 'no-stream', [newEvent('{}', payload)]),
        ...neighbours.map((neighbour) => append(neighbour, 'no-stream', newEvents(2))),
      ]);
      for (const outcome of [bad, alsoBad]) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { name: 'InvalidEventError' },
        });
      }
      for (const outcome of good) {
        expect(outcome).toMatchObject({ status: 'fulfilled', value: { revision: 1 } });
      }
      expect(await idsIn(stream)).toEqual([]);
    });

    it('refuses an append above the limit and takes one just below', async () => {
      const stream = newStream();
      const big = (bytes: number) => newEvent(JSON.stringify('x'.repeat(bytes - 2)));
      await refuses(append(stream, 'no-stream', [big(appendBytesMax)]), AppendTooLargeError);
      const halves = [big(appendBytesMax / 2), big(appendBytesMax / 2)];
      await refuses(append(stream, 'no-stream', halves), AppendTooLargeError);
      // The limit is in bytes, not characters.
      const euros = newEvent(JSON.stringify('€'.repeat(appendBytesMax / 2)));
      await refuses(append(stream, 'no-stream', [euros]), AppendTooLargeError);
      expect(await idsIn(stream)).toEqual([]);
      const fitting = [big(appendBytesMax / 2), big(appendBytesMax / 2 - 200)];
      await append(stream, 'no-stream', fitting);
      expect(await idsIn(stream)).toEqual(idsOf(fitting));
    });
  });
};
