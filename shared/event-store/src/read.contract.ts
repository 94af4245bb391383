import { describe, expect, it } from 'vitest';
import {
  collect,
  idsOf,
  newCategory,
  newEvent,
  newEvents,
  newStream,
  type Bench,
} from './contract-kit.js';
import type { NewEvent, RecordedEvent } from './event-store.js';

const payloads: Record<string, string> = {
  'key order': '{"b":1,"a":2,"10":3,"9":4}',
  'repeated keys': '{"a":1,"a":2}',
  'white space': ' {\t"a" :\r\n [ 1 , 2 ] } ',
  numbers: '[1.0,1e3,1E+3,-0,0.10,1e400,123456789012345678901234567890,1.2345678901234567890]',
  escapes: '"\\u0041\\n\\/\\"\\\\\\u00e9\\ud83d\\ude00"',
  'an escaped NUL': '{"a":"\\u0000"}',
  'an escaped lone surrogate': '"\\ud800"',
  unicode: '{"€é":"日本語 😀 \u2028\u2029 \u007f \ufeff"}',
  'what arrays and separators are made of': '["{a,b}","NULL","\\\\N",",","\'","$$"]',
  'deep nesting': '['.repeat(1_000) + ']'.repeat(1_000),
  'a bare string': '"x"',
  'a bare number': '1',
  null: 'null',
};

export const describeRead = (bench: Bench): void => {
  const read = (...args: Parameters<ReturnType<Bench['store']>['read']>) =>
    collect(bench.store().read(...args));

  describe('read', () => {
    it('gives none of a stream that does not exist', async () => {
      expect(await read(newStream())).toEqual([]);
      expect(await read(newStream(), { fromRevision: 7, limit: 3 })).toEqual([]);
    });

    it('gives everything that was appended, and where and when it was stored', async () => {
      const category = newCategory();
      const stream = newStream(category);
      const event: NewEvent = { ...newEvent('{"a":1}', '{"m":2}'), type: 'Reserved' };
      const before = Date.now();
      await bench.store().append(stream, 'no-stream', [event]);
      const [recorded] = await read(stream);
      const subscriber = bench.follow({ categories: [category] });
      await subscriber.count(1);
      expect(recorded).toEqual({
        ...event,
        stream,
        revision: 0,
        position: subscriber.received[0]?.position ?? '',
        recordedAt: expect.any(Date) as Date,
      } satisfies RecordedEvent);
      // KurrentDB gives whole seconds here.
      expect(recorded?.recordedAt.getTime()).toBeGreaterThan(before - 2_000);
      expect(recorded?.recordedAt.getTime()).toBeLessThan(Date.now() + 2_000);
    });

    it('starts at a revision, inclusive, and stops at a limit', async () => {
      const stream = newStream();
      const events = newEvents(10);
      await bench.store().append(stream, 'no-stream', events);
      const revisions = async (options: Parameters<typeof read>[1]) =>
        (await read(stream, options)).map(({ revision }) => revision);
      expect(await revisions({ fromRevision: 7 })).toEqual([7, 8, 9]);
      expect(await revisions({ limit: 2 })).toEqual([0, 1]);
      expect(await revisions({ fromRevision: 4, limit: 3 })).toEqual([4, 5, 6]);
      expect(await revisions({ fromRevision: 9, limit: 5 })).toEqual([9]);
      expect(await revisions({ fromRevision: 10 })).toEqual([]);
      expect(await revisions({ limit: 0 })).toEqual([]);
    });

    it('gives long streams whole and in order', async () => {
      const stream = newStream();
      const events = newEvents(2_500);
      for (let start = 0; start < events.length; start += 500) {
        const expected = start === 0 ? 'no-stream' : start - 1;
        await bench.store().append(stream, expected, events.slice(start, start + 500));
      }
      const recorded = await read(stream);
      expect(idsOf(recorded)).toEqual(idsOf(events));
      expect(recorded.map(({ revision }) => revision)).toEqual(events.map((_, index) => index));
      expect(await read(stream, { limit: 1_700 })).toHaveLength(1_700);
    });

    it('can be left early', async () => {
      const stream = newStream();
      await bench.store().append(stream, 'no-stream', newEvents(300));
      for await (const { revision } of bench.store().read(stream)) {
        if (revision === 5) break;
      }
      expect(await read(stream, { limit: 1 })).toHaveLength(1);
    });

    it('keeps streams apart whose names are prefixes of one another', async () => {
      const stream = newStream();
      const [short, long] = [newEvents(1), newEvents(1)];
      await bench.store().append(stream, 'no-stream', short);
      await bench.store().append(`${stream}-1`, 'no-stream', long);
      expect(idsOf(await read(stream))).toEqual(idsOf(short));
      expect(idsOf(await read(`${stream}-1`))).toEqual(idsOf(long));
    });

    it('takes stream names with the characters of model names, and spaces', async () => {
      const stream = `${newStream()}:gpt-4o/2024.08@eu {a,"b"} \\ 'é' 日本`;
      const events = newEvents(2);
      await bench.store().append(stream, 'no-stream', events);
      expect(idsOf(await read(stream))).toEqual(idsOf(events));
    });
  });

  describe('the last revision', () => {
    it('is none of a stream that does not exist', async () => {
      expect(await bench.store().lastRevision(newStream())).toBeUndefined();
    });

    it('is that of the last event, also of one that another instance has appended', async () => {
      const stream = newStream();
      await bench.store().append(stream, 'no-stream', newEvents(3));
      expect(await bench.store().lastRevision(stream)).toBe(2);
      const another = await bench.openAnother();
      await another.append(stream, 2, newEvents(1));
      expect(await bench.store().lastRevision(stream)).toBe(3);
      expect(await bench.store().lastRevision(`${stream}-1`)).toBeUndefined();
    });

    it('counts everything that was stored when it was asked, however many ask at a time', async () => {
      const streams = Array.from({ length: 200 }, () => newStream());
      const asked = streams.map(async (stream, n) => {
        const revisions: (number | undefined)[] = [];
        for (let expected = -1; expected < n % 3; expected += 1) {
          await bench.store().append(stream, expected < 0 ? 'no-stream' : expected, newEvents(1));
          revisions.push(await bench.store().lastRevision(stream));
        }
        return revisions;
      });
      expect(await Promise.all(asked)).toEqual(
        streams.map((_, n) => [0, 1, 2].slice(0, (n % 3) + 1)),
      );
    });
  });

  describe('payload bytes', () => {
    it.each(Object.entries(payloads))('keeps %s', async (_, payload) => {
      const stream = newStream();
      await bench.store().append(stream, 'no-stream', [newEvent(payload, payload)]);
      const [recorded] = await read(stream);
      expect(recorded?.data).toBe(payload);
      expect(recorded?.metadata).toBe(payload);
    });

    it('keeps all of them when they travel together', async () => {
      const stream = newStream();
      const events = Object.values(payloads).map((payload) => newEvent(payload, payload));
      await bench.store().append(stream, 'no-stream', events);
      const recorded = await read(stream);
      expect(recorded.map(({ data }) => data)).toEqual(events.map(({ data }) => data));
      expect(recorded.map(({ metadata }) => metadata)).toEqual(events.map(({ data }) => data));
    });

    it('keeps an event of 900 kB, read and subscribed', async () => {
      const stream = newStream();
      const data = JSON.stringify('é'.repeat(450_000));
      const follower = bench.follow({ categories: [stream.slice(0, stream.indexOf('-'))] });
      for (let revision = -1; revision < 4; revision += 1) {
        const expected = revision < 0 ? 'no-stream' : revision;
        await bench.store().append(stream, expected, [newEvent(data)]);
      }
      expect((await read(stream)).map((event) => event.data === data)).toEqual(Array(5).fill(true));
      await follower.count(5);
      expect(follower.received.every((event) => event.data === data)).toBe(true);
    });
  });
};
