/**
 * How payloads reach PostgreSQL cheapest: `node dist/array-encoding.bench.js [rounds]`, on a durable server of
 * its own. Batches of 2,000 events of about 500 bytes; the median of interleaved rounds.
 */
import { migrate, createPool } from '@tollkeeper/postgres';
import { uuidv7 } from '@tollkeeper/kernel';
import { startEphemeralPostgres } from '@tollkeeper/servers';
import type { NewEvent } from './event-store.js';
import type { AppendPart } from './append-queue.js';
import { appendSql, encode } from './postgres-append.js';
import { migrations } from './postgres-event-store.js';

type Texts = readonly string[];
type Encoding = readonly [
  sqlOfArray: (parameter: string) => string,
  encodeTexts: (t: Texts) => unknown,
];

const separator = '\u001e';
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;
const encodings: Record<string, Encoding | undefined> = {
  'binary array': undefined,
  'separated text': [
    (p) => `string_to_array(${p}, E'\\x1e')::json[]`,
    (texts) => texts.join(separator),
  ],
  'one JSON document': [
    (p) => `ARRAY(SELECT json_array_elements(${p}))`,
    (texts) => `[${texts.join(',')}]`,
  ],
  'array of pg': [(p) => p, (texts) => texts],
  'array literal': [(p) => p, (texts) => `{${texts.map(quoted).join(',')}}`],
};

const batchEvents = 2_000;
const batches = 30;
const pad = 'x'.repeat(180);
const hash = 'ab'.repeat(32);
const newEvent = (): NewEvent => {
  const id = uuidv7();
  return {
    id,
    type: 'Reserved',
    data: `{"reservationId":"${id}","amountCredits":"12.3456","model":"gpt-4o","note":"${pad}"}`,
    metadata: `{"correlationId":"${id}","occurredAt":"2026-11-20T16:00:00.000Z","prevHash":"${hash}"}`,
  };
};

const server = await startEphemeralPostgres({ durable: true });
const pool = createPool({ url: server.url, connectionsMax: 1, applicationName: 'bench' });
const measure = async (name: string, round: number): Promise<[perSecond: number, jsUs: number]> => {
  await pool.query('DROP SCHEMA IF EXISTS event_store CASCADE');
  await migrate(pool, 'event_store', migrations);
  const encoding = encodings[name];
  const text = encoding
    ? appendSql.replace('$9,$10', `${encoding[0]('$9')},${encoding[0]('$10')}`)
    : appendSql;
  let wallMs = 0;
  let cpuUs = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const parts: AppendPart[] = Array.from({ length: batchEvents }, (_, index) => ({
      stream: `bench-${String(batch)}-${String(index)}`,
      expected: 'no-stream',
      events: [newEvent()],
    }));
    const start = performance.now();
    const cpu = process.cpuUsage();
    const values = encode(parts, encoding?.[1]);
    await pool.query({ name: `${name}${String(round)}`, text, values });
    const used = process.cpuUsage(cpu);
    cpuUs += used.user + used.system;
    wallMs += performance.now() - start;
  }
  const events = batches * batchEvents;
  return [(events / wallMs) * 1_000, cpuUs / events];
};

const rounds = Number(process.argv[2] ?? 5);
const results = new Map<string, [number, number][]>();
for (let round = 0; round < rounds; round += 1) {
  for (const name of Object.keys(encodings)) {
    results.set(name, [...(results.get(name) ?? []), await measure(name, round)]);
  }
}
const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
for (const [name, values] of results) {
  const perSecond = median(values.map(([value]) => value)).toFixed(0);
  const jsUs = median(values.map(([, value]) => value)).toFixed(1);
  console.log(
    `${name.padEnd(20)}${perSecond.padStart(8)} events/s, ${jsUs} µs of Node's CPU an event`,
  );
}
await pool.end();
await server.stop();
