import { openPostgresEventStore, type EventStore } from '@tollkeeper/event-store';
import { messageOf } from '@tollkeeper/kernel';
import { startEphemeralPostgres } from '@tollkeeper/servers';
import { migrateReadModels, openProjectorPool } from '../database.js';
import { AccountStory } from '../story/account-story.fixture.js';
import { rebuild } from './rebuild.js';
import { verify } from './verify.js';

/** `node dist/audit/rebuild.bench.js [events] [accounts]`: events/s of a rebuild and of a proof. */

const eventsWanted = Number(process.argv[2] ?? 100_000);
const accountsWanted = Number(process.argv[3] ?? 1_000);
const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Pairs of Reserved and Settled, every 20th released, every 50th corrected; streams interleaved. */
const fill = async (store: EventStore): Promise<number> => {
  const stories = Array.from({ length: accountsWanted }, (_, place) =>
    new AccountStory(`acc_${String(place)}`).opened().granted('1000000', { kind: 'initial' }),
  );
  const appended = new Map<string, number>();
  let events = 0;
  let call = 0;
  const flush = async (story: AccountStory): Promise<void> => {
    const from = appended.get(story.accountId) ?? 0;
    const fresh = story.events.slice(from);
    appended.set(story.accountId, story.events.length);
    events += fresh.length;
    await store.append(story.stream, from === 0 ? 'no-stream' : from - 1, fresh);
  };
  while (events < eventsWanted) {
    await Promise.all(
      stories.map((story) => {
        for (let i = 0; i < 5; i += 1) {
          call += 1;
          const id = `0193-${String(call)}`;
          story.reserved(id, '5', {
            userId: `user_${String(call % 7)}`,
            projectId: 'p1',
            keyId: 'k1',
            taskType: 'chat',
            context: { ticket: String(call) },
          });
          if (call % 20 === 0) story.released(id);
          else story.settled(id, { input: 900 + (call % 100), output: 200, cacheRead: 100 });
          if (call % 50 === 1) story.corrected(id, { input: 950, output: 210 });
        }
        return flush(story);
      }),
    );
  }
  return events;
};

const server = await startEphemeralPostgres({ durable: true });
const onError = (error: unknown): void => {
  print(messageOf(error));
};
const store = await openPostgresEventStore({ url: server.url, applicationName: 'bench', onError });
const pool = openProjectorPool({ databaseUrl: server.url, applicationName: 'bench' });
try {
  await migrateReadModels(pool);
  const stored = await fill(store);
  print(`${String(stored)} events of ${String(accountsWanted)} accounts stored`);
  for (let round = 1; round <= 3; round += 1) {
    const cpu = process.cpuUsage();
    const { seconds, eventsPerSecond } = await rebuild({ store, pool });
    const { user, system } = process.cpuUsage(cpu);
    print(
      `rebuild ${String(round)}: ${String(eventsPerSecond)} events/s, ${seconds.toFixed(2)} s ` +
        `(this process ${((user + system) / 1e6).toFixed(2)} s of CPU)`,
    );
  }
  const startedAt = performance.now();
  const verified = await verify({ store, live: pool, databaseUrl: server.url });
  const seconds = (performance.now() - startedAt) / 1000;
  print(
    `verify: ${String(Math.round(verified.events / seconds))} events/s, ${seconds.toFixed(2)} s, ` +
      `${String(Math.round(process.memoryUsage().rss / 2 ** 20))} MiB`,
  );
} finally {
  await store.close();
  await pool.end();
  await server.stop();
}
