import { describe, expect, it } from 'vitest';
import { eventHash, genesisHash, toStored, type PriceBookEvent } from '@tollkeeper/events';
import {
  createMemoryEventStore,
  createMemoryStorage,
  type MemoryStorage,
  type RecordedEvent,
} from '@tollkeeper/event-store';
import { multiplierEvents } from '@tollkeeper/pricing';
import { DifferenceError, type Difference } from './difference.js';
import { provePriceBook } from './price-book-proof.js';

const stream = 'multiplier-tier:pro';
const effectiveFrom = '2026-11-20T12:01:00.000Z';
const id = 'tier:pro@2';
const withdrawalId = `${id}-withdrawal-1`;

const proposed: PriceBookEvent = {
  type: 'MultiplierProposed',
  data: { ruleId: id, scope: { tier: 'pro' }, multiplier: '2', effectiveFrom, reason: 'why' },
};
const approved: PriceBookEvent = { type: 'MultiplierApproved', data: { ruleId: id } };
const automatic: PriceBookEvent = {
  type: 'MultiplierApproved',
  data: { ruleId: id, automatic: true },
};
const withdrawalProposed: PriceBookEvent = {
  type: 'MultiplierWithdrawalProposed',
  data: { withdrawalId, ruleId: id, effectiveFrom, reason: 'why' },
};
const withdrawn: PriceBookEvent = {
  type: 'MultiplierWithdrawn',
  data: { withdrawalId, ruleId: id, effectiveFrom, reason: 'why' },
};

const seeded = multiplierEvents({ scope: { tier: 'pro' }, multiplier: '1.5' }, 'shipped').map(
  (event) => ['seed', event] as const,
);

/** A store whose one stream somebody wrote, each event by its actor. */
const written = async (
  ...events: readonly (readonly [actor: string, event: PriceBookEvent])[]
): Promise<MemoryStorage> => {
  const storage = createMemoryStorage();
  let prevHash = genesisHash(stream);
  const stored = [...seeded, ...events].map(([actor, event]) => {
    const made = toStored(crypto.randomUUID(), event, {
      schemaVersion: 1,
      occurredAt: '2026-11-20T12:00:00.000Z',
      correlationId: 'c',
      causationId: 'c',
      actor,
      commandId: 'c',
      commandHash: 'h',
      prevHash,
    });
    prevHash = eventHash(made);
    return made;
  });
  await createMemoryEventStore(storage).append(stream, 'no-stream', stored);
  return storage;
};

const differenceOf = async (storage: MemoryStorage): Promise<Difference | undefined> => {
  try {
    await provePriceBook(createMemoryEventStore(storage), undefined);
    return undefined;
  } catch (error) {
    if (error instanceof DifferenceError) return error.difference;
    throw error;
  }
};

const tamper = (
  { events }: MemoryStorage,
  place: number,
  change: (event: RecordedEvent) => Partial<RecordedEvent>,
): void => {
  const event = events[place];
  if (!event) throw new Error('no such event');
  events[place] = { ...event, ...change(event) };
};

describe('the proof of the price book', () => {
  it('agrees with what two people did, and counts it', async () => {
    const storage = await written(
      ['alice', proposed],
      ['bob', approved],
      ['bob', withdrawalProposed],
      ['alice', withdrawn],
    );
    expect(await provePriceBook(createMemoryEventStore(storage), undefined)).toBe(6);
  });

  it('agrees with an empty book', async () => {
    expect(await provePriceBook(createMemoryEventStore(), undefined)).toBe(0);
  });

  it('says that it was interrupted, and not that all is well', async () => {
    const storage = await written(['alice', proposed]);
    const proof = provePriceBook(createMemoryEventStore(storage), AbortSignal.abort());
    await expect(proof).rejects.toThrow('aborted');
  });

  it('agrees with a small change that needed nobody else', async () => {
    expect(await differenceOf(await written(['alice', proposed], ['alice', automatic]))).toBe(
      undefined,
    );
  });

  it.each([
    [
      'a rule that its proposer approved',
      [['alice', proposed] as const, ['alice', approved] as const],
    ],
    [
      'a rule that was approved twice',
      [['alice', proposed] as const, ['bob', approved] as const, ['carol', approved] as const],
    ],
    [
      'a withdrawal that its proposer approved',
      [
        ['alice', proposed] as const,
        ['bob', approved] as const,
        ['bob', withdrawalProposed] as const,
        ['bob', withdrawn] as const,
      ],
    ],
  ])('finds %s', async (_, events) => {
    expect(await differenceOf(await written(...events))).toMatchObject({
      check: 'four-eyes',
      key: stream,
      revision: events.length + 1,
    });
  });

  it('finds an event that was changed afterwards, at the one after it', async () => {
    const storage = await written(['alice', proposed], ['bob', approved]);
    tamper(storage, 2, ({ data }) => ({ data: data.replace('"2"', '"1.1"') }));
    expect(await differenceOf(storage)).toMatchObject({ check: 'hash-chain', revision: 3 });
  });

  it('finds an event that nobody can read', async () => {
    const storage = await written(['alice', proposed]);
    tamper(storage, 2, () => ({ data: '{}' }));
    expect(await differenceOf(storage)).toMatchObject({ check: 'price-book', revision: 2 });
  });
});
