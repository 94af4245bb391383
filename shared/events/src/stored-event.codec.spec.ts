import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { creditAccountSchemas } from './credit-account.js';
import { priceBookSchemas } from './price-book.js';
import {
  eventMetadata,
  eventHash,
  fromStoredCredit,
  fromStoredPriceBook,
  genesisHash,
  toStored,
  UndecodableEventError,
  type StoredEvent,
} from './stored-event.codec.js';

interface Fixture {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** Events as version 1 stored them. Fixtures are added, never edited: the stores hold such events for ever. */
const golden = (file: string): Fixture[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures', file), 'utf8')) as Fixture[];

const stored = (fixture: Fixture): StoredEvent => ({
  id: fixture.id,
  type: fixture.type,
  data: JSON.stringify(fixture.data),
  metadata: JSON.stringify(fixture.metadata),
});

const creditEvents = golden('credit-account.v1.json');
const priceBookEvents = golden('price-book.v1.json');

describe('events as version 1 stored them', () => {
  it.each(creditEvents)('$type of a credit account is read as it was written', (fixture) => {
    expect(fromStoredCredit(stored(fixture))).toEqual({
      type: fixture.type,
      data: fixture.data,
      metadata: fixture.metadata,
    });
  });

  it.each(priceBookEvents)('$type of the price book is read as it was written', (fixture) => {
    expect(fromStoredPriceBook(stored(fixture))).toEqual({
      type: fixture.type,
      data: fixture.data,
      metadata: fixture.metadata,
    });
  });

  it.each(creditEvents)('$type is written as it was then', (fixture) => {
    const event = fromStoredCredit(stored(fixture));
    const written = toStored(fixture.id, event, event.metadata);
    expect(JSON.parse(written.data)).toEqual(fixture.data);
    expect(written.metadata).toBe(stored(fixture).metadata);
  });

  it('escape what callers choose', () => {
    const [event] = creditEvents.map((fixture) => fromStoredCredit(stored(fixture)));
    if (!event) throw new Error('no fixture');
    const metadata = { ...event.metadata, correlationId: '"\\\n', actor: '{"}' };
    const text = toStored('id', event, metadata).metadata;
    expect(eventMetadata.parse(JSON.parse(text))).toEqual(metadata);
  });

  it('include every type', () => {
    expect(new Set(creditEvents.map((event) => event.type))).toEqual(
      new Set(Object.keys(creditAccountSchemas)),
    );
    expect(priceBookEvents.map((event) => event.type).sort()).toEqual(
      Object.keys(priceBookSchemas).sort(),
    );
  });

  it('stay under a kilobyte or so', () => {
    for (const event of creditEvents) expect(stored(event).data.length).toBeLessThan(1_100);
  });
});

describe('the hash chain', () => {
  it('begins with the stream’s name', () => {
    expect(genesisHash('credit-acc_1')).toBe(
      '931edda285023dc0549c75c9c90b120d1ec3ee71bd7983d524e7a8f5f6bdd1d9',
    );
  });

  it('covers id, type, data and metadata byte by byte', () => {
    const event: StoredEvent = { id: 'i', type: 't', data: '{"a":1}', metadata: '{}' };
    expect(eventHash(event)).toBe(
      '30d941c8d41f98c5ba3ded6a2253d01b8e48bebe287dd908de5186e337415b36',
    );
    for (const change of [{ id: 'j' }, { type: 'u' }, { data: '{"a": 1}' }, { metadata: '{ }' }]) {
      expect(eventHash({ ...event, ...change })).not.toBe(eventHash(event));
    }
  });
});

describe('an event that this version cannot read', () => {
  const [opened] = creditEvents.map(stored);
  const event = opened ?? stored({ id: '', type: '', data: {}, metadata: {} });

  it.each([
    ['an unknown type', { type: 'FromTheFuture' }],
    ['a type of the prototype', { type: 'constructor' }],
    ['data that are not JSON', { data: '{' }],
    ['a missing field', { data: '{}' }],
    [
      'another schema version',
      { metadata: event.metadata.replace('"schemaVersion":1', '"schemaVersion":2') },
    ],
  ])('is refused: %s', (_, change) => {
    expect(() => fromStoredCredit({ ...event, ...change })).toThrow(UndecodableEventError);
  });
});
