import { ledgerSubjects, type LedgerEventMessage } from '@tollkeeper/contracts';
import type { EventStore } from '@tollkeeper/event-store';
import { connectNats, request, type NatsConnection } from '@tollkeeper/messaging';
import { startEphemeralNats, waitUntil, type RunningNats } from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebuild } from '../audit/rebuild.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { everything } from '../story/everything.fixture.js';
import { append, useReadDatabases, type ReadDatabase } from '../story/read-database.fixture.js';
import { LedgerPublisher } from './ledger-publisher.js';

const newDatabase = useReadDatabases();
const logger = createLogger('spec');
logger.level = 'silent';

let server: RunningNats;
let projection: NatsConnection;
let operator: NatsConnection;

beforeAll(async () => {
  server = await startEphemeralNats();
  projection = await connectNats({ url: server.url('projection'), name: 'spec' });
  operator = await connectNats({ url: server.url('operator'), name: 'spec' });
});
afterAll(async () => {
  await Promise.all([projection.close(), operator.close()]);
  await server.stop();
});

const messagesStored = async (): Promise<number> => {
  const subject = `$JS.API.STREAM.INFO.${ledgerSubjects.stream}`;
  const info = (await request(operator, subject, {}, { timeoutMs: 5_000 })) as {
    readonly state?: { readonly messages: number };
  };
  return info.state?.messages ?? 0;
};

const lastOf = async (type: string, accountId: string): Promise<LedgerEventMessage> => {
  const found = (await request(
    operator,
    `$JS.API.STREAM.MSG.GET.${ledgerSubjects.stream}`,
    { last_by_subj: ledgerSubjects.event(type, accountId) },
    { timeoutMs: 5_000 },
  )) as { readonly message: { readonly data: string } };
  return JSON.parse(Buffer.from(found.message.data, 'base64').toString()) as LedgerEventMessage;
};

const positionOf = async ({ pool }: ReadDatabase): Promise<string | undefined> => {
  const { rows } = await pool.query<{ position: string | null }>(
    'SELECT position FROM publications',
  );
  return rows[0]?.position ?? undefined;
};

/** Runs a publisher until it has come to the store's last event. */
const publishAll = async (database: ReadDatabase): Promise<void> => {
  const publisher = new LedgerPublisher({ ...database, nats: projection, logger });
  publisher.start();
  const head = database.storage.events.at(-1)?.position;
  const arrived = await waitUntil(async () => (await positionOf(database)) === head, {
    timeoutMs: 20_000,
  });
  await publisher.stop();
  expect(arrived, 'the publisher arrives').toBe(true);
};

/** Stores events with a correlation id of that length. */
const lengthening = (store: EventStore, length: number): EventStore => ({
  ...store,
  append: (stream, expected, events) => {
    const correlationId = 'x'.repeat(length);
    const long = events.map((event) => ({
      ...event,
      metadata: JSON.stringify({ ...(JSON.parse(event.metadata) as object), correlationId }),
    }));
    return store.append(stream, expected, long);
  },
});

describe('ledger events', () => {
  it('reach JetStream once each, go on where they were left, and are not repeated by a rebuild', async () => {
    const database = await newDatabase();
    await append(database.store, ...everything());
    await publishAll(database);
    const told = database.storage.events.length;
    expect(await messagesStored()).toBe(told);
    expect(await lastOf('TopUpRequested', 'acc_life')).toEqual({
      id: expect.any(String) as string,
      type: 'TopUpRequested',
      accountId: 'acc_life',
      revision: 26,
      occurredAt: '2026-11-20T10:05:26.000Z',
      correlationId: expect.stringMatching(/^c-/) as string,
      causationId: expect.stringMatching(/^m-/) as string,
      commandId: expect.stringMatching(/^cmd-/) as string,
      actor: 'spec',
      data: {
        topUpId: 't1',
        amountCredits: '20',
        availableCredits: '0',
        localDate: '2026-11-20',
      },
    });

    await append(database.store, new AccountStory('acc_new').opened().granted('1'));
    await rebuild(database);
    await publishAll(database);
    expect(await messagesStored()).toBe(told + 2);

    // As after a kill between publishing and noting it.
    await database.pool.query('UPDATE publications SET position = NULL');
    await publishAll(database);
    expect(await messagesStored()).toBe(told + 2);
  });

  it('of two publishers are stored once', async () => {
    const database = await newDatabase();
    const before = await messagesStored();
    const stories = [1, 2, 3].map((place) => {
      const story = new AccountStory(`acc_two_${String(place)}`).opened().granted('1000');
      for (let call = 0; call < 100; call += 1) {
        story.reserved(`r${String(call)}`, '1').settled(`r${String(call)}`, '1');
      }
      return story;
    });
    await append(database.store, ...stories);
    await Promise.all([publishAll(database), publishAll(database)]);
    expect(await messagesStored()).toBe(before + database.storage.events.length);
  });

  it('go on behind one that no message holds', async () => {
    const database = await newDatabase();
    const before = await messagesStored();
    // Some that fit, some that do not, and those between, which only their headers make too large.
    const lengths = Array.from({ length: 16 }, (_, n) => 64_000 + 100 * n);
    for (const length of lengths) {
      const store = lengthening(database.store, length);
      await append(store, new AccountStory(`acc_${String(length)}`).opened());
    }
    await append(database.store, new AccountStory('acc_behind').opened().granted('1'));
    await publishAll(database);
    const published = (await messagesStored()) - before;
    expect(published).toBeGreaterThan(3);
    expect(published).toBeLessThan(lengths.length + 2);
  });
});
