/**
 * Appends a second through the port: `node dist/append.bench.js` on a durable PostgreSQL of its own, on
 * `DATABASE_URL`, or on the node of `KURRENTDB_URL`. Load generator and store share the machine.
 */
import { uuidv7 } from '@tollkeeper/kernel';
import { startEphemeralPostgres } from '@tollkeeper/servers';
import type { EventStore, NewEvent } from './event-store.js';
import { openEventStore } from './open-event-store.js';

const seconds = 3;
const pad = 'x'.repeat(180);
const hash = 'ab'.repeat(32);
/** Of about 500 bytes, as a Reserved is. */
const newEvent = (): NewEvent => {
  const id = uuidv7();
  return {
    id,
    type: 'Reserved',
    data: `{"reservationId":"${id}","amountCredits":"12.3456","model":"gpt-4o","note":"${pad}"}`,
    metadata: `{"correlationId":"${id}","occurredAt":"2026-11-20T16:00:00.000Z","prevHash":"${hash}"}`,
  };
};

interface Load {
  readonly streams: number;
  readonly callers: number;
  readonly eventsPerAppend: number;
}

/** Each stream has one append in flight, as the mailbox has; its callers' events go together in the next. */
const run = async (store: EventStore, load: Load): Promise<void> => {
  const { streams, callers, eventsPerAppend } = load;
  const writers = Math.min(streams, callers);
  const together = Math.floor(callers / writers) * eventsPerAppend;
  const prefix = `bench-${String(Date.now())}`;
  const latenciesMs: number[] = [];
  const end = performance.now() + seconds * 1_000;
  const write = async (writer: number): Promise<void> => {
    for (let turn = 0; performance.now() < end; turn += 1) {
      const stream = `${prefix}-${String((writer + turn * writers) % streams)}`;
      const events = Array.from({ length: together }, newEvent);
      const start = performance.now();
      await append(stream, events);
      latenciesMs.push(performance.now() - start);
    }
  };
  const revisions = new Map<string, number>();
  const append = async (stream: string, events: NewEvent[]): Promise<void> => {
    const result = await store.append(stream, revisions.get(stream) ?? 'no-stream', events);
    revisions.set(stream, result.revision);
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): string =>
    (latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0).toFixed(1);
  const perSecond = Math.round((latenciesMs.length * together) / seconds);
  console.log(
    [
      `${String(streams)} streams`.padStart(15),
      `${String(callers)} callers × ${String(eventsPerAppend)}`.padStart(18),
      `${String(perSecond)} events/s`.padStart(18),
      `p50 ${at(0.5)} ms`.padStart(14),
      `p99 ${at(0.99)} ms`.padStart(14),
    ].join(''),
  );
};

const kurrentdbUrl = process.env['KURRENTDB_URL'];
const databaseUrl = process.env['DATABASE_URL'];
const own =
  kurrentdbUrl || databaseUrl ? undefined : await startEphemeralPostgres({ durable: true });
const store = await openEventStore({
  kurrentdbUrl,
  databaseUrl: databaseUrl ?? own?.url,
  applicationName: 'append.bench',
});
try {
  await run(store, { streams: 10_000, callers: 64, eventsPerAppend: 1 });
  for (const streams of [1, 10_000]) {
    for (const callers of [1, 64, 500]) {
      await run(store, { streams, callers, eventsPerAppend: 1 });
    }
  }
  await run(store, { streams: 10_000, callers: 500, eventsPerAppend: 4 });
} finally {
  await store.close();
  await own?.stop();
}
