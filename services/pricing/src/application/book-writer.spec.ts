import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventHash, fromStoredPriceBook, genesisHash } from '@tollkeeper/events';
import {
  createMemoryEventStore,
  createMemoryStorage,
  type EventStore,
  type MemoryStorage,
  type RecordedEvent,
} from '@tollkeeper/event-store';
import { priceFault } from '@tollkeeper/price-table/sanity-gate';
import { seedStreams } from '../domain/price-book/seed-streams.js';
import type { Multipliers } from '../domain/multiplier/state.js';
import { vendorPrices } from '../seed/vendor-prices.js';
import { BookPolicy } from './book-policy.js';
import {
  bookCommand,
  BookWriter,
  isRefused,
  type WriteRefusal,
  type Written,
} from './book-writer.js';
import { PriceImports } from './import-prices.js';
import { PriceBookCommands } from './price-book-commands.js';
import { PriceBookReplica } from './price-book-replica.js';
import { seedPriceBook } from './seed-price-book.js';

const noon = new Date('2026-11-20T12:00:00.000Z');
const stream = 'multiplier-tier:pro';
const seeded = seedStreams(vendorPrices().filter(({ model }) => model === 'gpt-4o'));

interface Instance {
  readonly commands: PriceBookCommands;
  readonly imports: PriceImports;
  readonly replica: PriceBookReplica;
}

const running: Instance[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ replica }) => replica.stop()));
});

/** A pricing service over a store that others may share, at noon. */
const start = async (storage: MemoryStorage): Promise<Instance> => {
  const store = createMemoryEventStore(storage);
  const replica = new PriceBookReplica(store, (error) => {
    throw error;
  });
  await replica.caughtUp;
  await seedPriceBook(store, seeded, new Date('2026-11-01T00:00:00.000Z'));
  await replica.holds(seeded.map((each) => each.stream));
  const writer = new BookWriter(store, replica, () => noon);
  const policy = new BookPolicy(replica, 60_000, priceFault);
  const instance = {
    commands: new PriceBookCommands(writer, policy, replica),
    imports: new PriceImports(writer, policy, replica, () => noon),
    replica,
  };
  running.push(instance);
  return instance;
};

const envelope = (commandId: string) => ({
  commandId,
  correlationId: undefined,
  causationId: undefined,
});

const propose = (
  { commands }: Instance,
  commandId: string,
  multiplier = '2',
  actor = 'alice',
): Promise<Written<Multipliers> | WriteRefusal> => {
  const fields = { scope: { tier: 'pro' as const }, multiplier, reason: 'why' };
  return commands.propose(fields, bookCommand('proposeConfig', actor, fields, envelope(commandId)));
};

const approve = (
  { commands }: Instance,
  proposalId: string,
  commandId: string,
  actor = 'bob',
): Promise<Written<Multipliers> | WriteRefusal> => {
  const fields = { proposalId, reason: 'agreed' };
  return commands.decide(
    { ...fields, decision: 'approve' },
    bookCommand('approve', actor, fields, envelope(commandId)),
  );
};

const written = <S>(result: Written<S> | WriteRefusal): Written<S> => {
  if (isRefused(result)) throw new Error(result.message);
  return result;
};

const eventsOf = async (storage: MemoryStorage, name = stream): Promise<RecordedEvent[]> => {
  const store: EventStore = createMemoryEventStore(storage);
  const events: RecordedEvent[] = [];
  for await (const event of store.read(name)) events.push(event);
  return events;
};

describe('a command on the price book', () => {
  test('is stored behind what was there, with who, when and the hash of the event before it', async () => {
    const storage = createMemoryStorage();
    const { events } = written(await propose(await start(storage), 'cmd-1'));
    expect(events.map(({ type }) => type)).toEqual(['MultiplierProposed']);
    const recorded = await eventsOf(storage);
    expect(recorded).toHaveLength(3);
    let prevHash = genesisHash(stream);
    for (const event of recorded) {
      expect(fromStoredPriceBook(event).metadata.prevHash).toBe(prevHash);
      prevHash = eventHash(event);
    }
    const last = recorded.at(-1);
    expect(last && fromStoredPriceBook(last).metadata).toMatchObject({
      actor: 'alice',
      commandId: 'cmd-1',
      occurredAt: noon.toISOString(),
    });
  });

  test('is seen by the next question to the same instance', async () => {
    const instance = await start(createMemoryStorage());
    await propose(instance, 'cmd-1');
    expect(instance.replica.records.multipliers.get(stream)?.rules).toHaveLength(2);
    expect(instance.replica.prices.rule('tier:pro@2')).toBeDefined();
  });

  test('that is sent again adds nothing and gets its first answer, also of another instance and much later', async () => {
    const storage = createMemoryStorage();
    const first = await start(storage);
    const answer = written(await propose(first, 'cmd-1'));
    await approve(first, 'tier:pro@2', 'cmd-2');
    await propose(first, 'cmd-3', '4');
    const stored = storage.events.length;
    for (const instance of [first, await start(storage)]) {
      const again = written(await propose(instance, 'cmd-1'));
      expect(again.state).toEqual(answer.state);
      expect(again.at).toEqual(answer.at);
    }
    expect(storage.events).toHaveLength(stored);
  });

  test.each<[string, (instance: Instance) => Promise<object>]>([
    ['another body', (instance) => propose(instance, 'cmd-1', '3')],
    ['another actor', (instance) => propose(instance, 'cmd-1', '2', 'carol')],
    ['another command', (instance) => approve(instance, 'tier:pro@2', 'cmd-1')],
    ['another stream', (instance) => approve(instance, 'tier:free@1', 'cmd-1')],
  ])('whose id was used with %s is refused', async (_, send) => {
    const storage = createMemoryStorage();
    const instance = await start(storage);
    await propose(instance, 'cmd-1');
    const stored = storage.events.length;
    expect(await send(instance)).toMatchObject({ refused: 'replay-mismatch', retryable: false });
    expect(storage.events).toHaveLength(stored);
  });

  test('wins alone where several decide at once on several instances', async () => {
    const storage = createMemoryStorage();
    const instances = await Promise.all([start(storage), start(storage), start(storage)]);
    await propose(instances[0], 'cmd-1');
    const results = await Promise.all(
      instances.flatMap((instance, n) => [
        approve(instance, 'tier:pro@2', `a-${String(n)}`),
        approve(instance, 'tier:pro@2', `b-${String(n)}`, 'carol'),
      ]),
    );
    const refusals = results.filter(isRefused).map(({ refused }) => refused);
    expect(refusals).toEqual(Array.from({ length: 5 }, () => 'not-pending'));
    const types = (await eventsOf(storage)).map(({ type }) => type);
    expect(types.filter((type) => type === 'MultiplierApproved')).toHaveLength(2);
  });

  test('proposed by many at once, each gets a number of its own', async () => {
    const storage = createMemoryStorage();
    const instances = await Promise.all([start(storage), start(storage)]);
    const results = await Promise.all(
      instances.flatMap((instance, n) =>
        [1, 2, 3, 4].map((each) => propose(instance, `cmd-${String(n)}-${String(each)}`)),
      ),
    );
    const ids = results.map((result) => {
      const [event] = written(result).events;
      return event?.type === 'MultiplierProposed' ? event.data.ruleId : '';
    });
    expect(new Set(ids).size).toBe(8);
    expect(ids.toSorted()).toEqual(
      Array.from({ length: 8 }, (_, n) => `tier:pro@${String(n + 2)}`),
    );
  });

  test('whose append has no answer is stored once, under the same ids', async () => {
    const storage = createMemoryStorage();
    const instance = await start(storage);
    storage.repliesLost = true;
    const proposing = propose(instance, 'cmd-1');
    await vi.waitFor(async () => expect(await eventsOf(storage)).toHaveLength(3));
    storage.repliesLost = false;
    expect(written(await proposing).events).toHaveLength(1);
    expect(await eventsOf(storage)).toHaveLength(3);
  });

  test('does not go back in time behind its stream', async () => {
    const storage = createMemoryStorage();
    const store = createMemoryEventStore(storage);
    const late = new Date('2026-11-20T13:00:00.000Z');
    const [rule] = seeded.filter((each) => each.stream === stream);
    if (!rule) throw new Error('no rule');
    await seedPriceBook(store, [rule], late);
    const { at, events } = written(await propose(await start(storage), 'cmd-1'));
    expect(at).toEqual(late);
    expect(events[0]?.data).toMatchObject({ effectiveFrom: '2026-11-20T13:01:00.000Z' });
  });
});

describe('an import', () => {
  const offer = (model: string, input: string) => ({
    provider: 'openai',
    model,
    currency: 'USD',
    rates: [
      { meter: 'input', unit: 'token', per: '1000000', rate: input },
      { meter: 'output', unit: 'token', per: '1000000', rate: '10' },
    ],
    source: { name: 'spec' },
  });
  const run = ({ imports }: Instance, commandId: string, dryRun = false, input = '3') => {
    const prices = [
      offer('gpt-4o', input),
      ...Array.from({ length: 40 }, (_, n) => offer(`new-${String(n)}`, '1')),
      offer('odd', '2500'),
    ];
    const fields = { prices, dryRun, reason: 'monthly' };
    return imports.import(
      fields,
      bookCommand('importPrices', 'alice', fields, envelope(commandId)),
    );
  };
  const outcomesOf = async (result: ReturnType<typeof run>): Promise<string[]> => {
    const outcomes = await result;
    if (isRefused(outcomes)) throw new Error(outcomes.message);
    return outcomes.map(({ outcome }) => outcome);
  };
  const first = ['changed', ...Array.from({ length: 40 }, () => 'new'), 'quarantined'];

  test('tries out what it would do, and records nothing', async () => {
    const storage = createMemoryStorage();
    const instance = await start(storage);
    const stored = storage.events.length;
    expect(await outcomesOf(run(instance, 'dry', true))).toEqual(first);
    expect(storage.events).toHaveLength(stored);
  });

  test('that is sent again answers as it did, and the same prices again are no news', async () => {
    const storage = createMemoryStorage();
    const instance = await start(storage);
    expect(await outcomesOf(run(instance, 'cmd-1'))).toEqual(first);
    const stored = storage.events.length;
    expect(await outcomesOf(run(instance, 'cmd-1'))).toEqual(first);
    expect(await outcomesOf(run(instance, 'cmd-2'))).toEqual([
      'changed',
      ...Array.from({ length: 40 }, () => 'unchanged'),
      'quarantined',
    ]);
    expect(storage.events).toHaveLength(stored);
    expect(instance.replica.records.prices.get('vendorPrice-openai:gpt-4o')?.alerts).toHaveLength(
      1,
    );
  });

  test('whose alert is applied with what it recommends proposes that to somebody else', async () => {
    const storage = createMemoryStorage();
    const instance = await start(storage);
    const { commands, replica } = instance;
    const setting = { key: 'margin_target_enterprise_max', value: '0.2', reason: 'spec' };
    const set = bookCommand('changeSetting', 'root', setting, envelope('set'));
    await commands.changeSetting({ ...setting, effectiveFrom: undefined }, set);
    // Settings hold from the lead time on; an import after it sees them.
    const now = () => new Date(noon.getTime() + 61_000);
    const later = new BookWriter(createMemoryEventStore(storage), replica, now);
    const policy = new BookPolicy(replica, 60_000, priceFault);
    const fields = { prices: [offer('gpt-4o', '3')], dryRun: false, reason: 'monthly' };
    const imported = await new PriceImports(later, policy, replica, now).import(
      fields,
      bookCommand('importPrices', 'alice', fields, envelope('import')),
    );
    if (isRefused(imported)) throw new Error(imported.message);
    const decision = {
      alertId: imported[0]?.alertId ?? '',
      decision: 'apply' as const,
      proposeMultiplier: true,
      reason: 'follow the vendor',
    };
    const decide = () =>
      new PriceBookCommands(later, policy, replica).decideAlert(
        decision,
        bookCommand('decideAlert', 'alice', decision, envelope('decide')),
      );
    const decided = await decide();
    if (isRefused(decided)) throw new Error(decided.message);
    const [proposed] = decided.proposal?.events ?? [];
    expect(proposed).toMatchObject({
      type: 'MultiplierProposed',
      data: {
        scope: { provider: 'openai', model: 'gpt-4o', tier: 'enterprise_max' },
        multiplier: '1.25',
        alertId: decision.alertId,
      },
      metadata: { actor: 'alice' },
    });
    const stored = storage.events.length;
    expect(await decide()).toEqual(decided);
    expect(storage.events).toHaveLength(stored);
  });
});
