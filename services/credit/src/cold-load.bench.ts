import {
  creditStream,
  eventHash,
  genesisHash,
  toStored,
  type CreditAccountEvent,
  type StoredEvent,
} from '@tollkeeper/events';
import { openPostgresEventStore, type EventStore } from '@tollkeeper/event-store';
import { messageOf, uuidv7 } from '@tollkeeper/kernel';
import { connectNats } from '@tollkeeper/messaging';
import { startEphemeralNats, startEphemeralPostgres } from '@tollkeeper/servers';
import { createLogger } from '@tollkeeper/telemetry';
import { kvSnapshots } from './adapters/kv-snapshots.js';
import { loadAccount, type LoadedAccount } from './application/load-account.js';
import { SnapshotWriter } from './application/snapshot-writer.js';
import type { Snapshots } from './application/snapshots.js';
import { defaultForgetting } from './domain/credit-account/memory.js';
import { toSnapshot } from './domain/credit-account/snapshot.js';

/** `node dist/cold-load.bench.js [events] [tail] [open]`: how long an account takes to load from PostgreSQL. */

const eventsWanted = Number(process.argv[2] ?? 1_000_000);
/** Events after the snapshot: the most that there are while an account is quiet. */
const tail = Number(process.argv[3] ?? 128);
const openWanted = Number(process.argv[4] ?? 100);
const rounds = 200;
const neighbours = 64;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const startMs = Date.parse('2026-01-01T00:00:00.000Z');
const localDate = '2026-01-01';

/** One account's events as the service would have stored them. */
class History {
  private prevHash: string;
  private atMs = startMs;

  constructor(private readonly accountId: string) {
    this.prevHash = genesisHash(creditStream(accountId));
  }

  next(event: CreditAccountEvent): StoredEvent {
    this.atMs += 20;
    const id = uuidv7(this.atMs);
    const stored = toStored(id, event, {
      schemaVersion: 1,
      occurredAt: new Date(this.atMs).toISOString(),
      correlationId: id,
      causationId: id,
      actor: 'gateway',
      commandId: id,
      commandHash: this.prevHash,
      prevHash: this.prevHash,
    });
    this.prevHash = eventHash(stored);
    return stored;
  }

  opened(): StoredEvent[] {
    return [
      this.next({
        type: 'AccountOpened',
        data: {
          accountId: this.accountId,
          kind: 'organization',
          ownerUserId: 'usr_1',
          tier: 'pro',
          timeZone: 'Europe/Berlin',
        },
      }),
      this.next({
        type: 'CreditsGranted',
        data: {
          grantId: 'g1',
          kind: 'purchase',
          amountCredits: '100000000',
          priority: 100,
          effectiveAt: new Date(startMs).toISOString(),
          localDate,
        },
      }),
    ];
  }

  reserved(reservationId: string): StoredEvent {
    return this.next({
      type: 'Reserved',
      data: {
        reservationId,
        amountCredits: '5',
        allocations: [{ grantId: 'g1', amountCredits: '5' }],
        tier: 'pro',
        localDate,
        expiresAt: new Date(this.atMs + 720_000).toISOString(),
        purpose: { userId: 'usr_1', projectId: 'prj_1', keyId: 'key_1', taskType: 'chat' },
        quote: {
          policyId: 'policy@1',
          requestStartedAt: new Date(this.atMs).toISOString(),
          candidates: [
            {
              provider: 'openai',
              model: 'gpt-4o',
              priceVersion: 'openai:gpt-4o@1',
              multiplierRule: 'pro@1',
              boundUsd: '0.0325',
            },
          ],
          bound: { inputTokens: 1000, outputTokens: 3000, choices: 1 },
        },
      },
    });
  }

  settled(reservationId: string): StoredEvent {
    return this.next({
      type: 'Settled',
      data: {
        reservationId,
        tier: 'pro',
        attempts: [
          {
            provider: 'openai',
            model: 'gpt-4o',
            vendorRequestId: 'chatcmpl-9f8e7d6c5b4a',
            billed: true,
            provenance: 'exact',
            priceVersion: 'openai:gpt-4o@1',
            multiplier: '1.5',
            multiplierRule: 'pro@1',
            multiplierLevel: 'tier',
            lines: [
              { meter: 'input', quantity: '1000', unit: 'token', per: '1000000', rateUsd: '2.5' },
              { meter: 'output', quantity: '500', unit: 'token', per: '1000000', rateUsd: '10' },
            ],
            costUsd: '0.0075',
          },
        ],
        vendorCostUsd: '0.0075',
        policyId: 'policy@1',
        usdPerCredit: '0.01',
        creditDecimals: 4,
        rounding: 'ceil',
        chargeCredits: '1.125',
        roundingCredits: '0',
        drawn: [{ grantId: 'g1', amountCredits: '1.125' }],
        returned: [{ grantId: 'g1', amountCredits: '3.875' }],
        localDate,
      },
    });
  }
}

const fill = async (store: EventStore, accountId: string, events: number): Promise<void> => {
  const history = new History(accountId);
  const stream = creditStream(accountId);
  const open: string[] = [];
  let batch = history.opened();
  let stored = 0;
  while (stored + batch.length < events) {
    if (open.length >= Math.min(openWanted, events / 4)) {
      batch.push(history.settled(open.shift() ?? ''));
    } else {
      open.push(uuidv7(startMs + stored * 20));
      batch.push(history.reserved(open.at(-1) ?? ''));
    }
    if (batch.length < 500 && stored + batch.length < events) continue;
    await store.append(stream, stored === 0 ? 'no-stream' : stored - 1, batch);
    stored += batch.length;
    batch = [];
  }
};

interface Times {
  readonly p50: number;
  readonly p99: number;
}

const timesOf = async (count: number, run: () => Promise<unknown>): Promise<Times> => {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const startedAt = performance.now();
    await run();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.floor((times.length - 1) * part)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
};

const line = (what: string, { p50, p99 }: Times): void => {
  print(`${what}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
};

const postgres = await startEphemeralPostgres({ durable: true });
const nats = await startEphemeralNats();
const onError = (error: unknown): void => {
  print(messageOf(error));
};
const store = await openPostgresEventStore({
  url: postgres.url,
  applicationName: 'bench',
  onError,
});
const connection = await connectNats({ url: nats.url('credit'), name: 'bench' });
const logger = createLogger('bench');
const snapshots = new SnapshotWriter(kvSnapshots(connection), logger);
const recall = { find: () => Promise.resolve(undefined) };
const noSnapshots: Snapshots = {
  rule: snapshots.rule,
  find: () => Promise.resolve(undefined),
  offer: () => undefined,
};
const load = (
  accountId: string,
  from: Snapshots = snapshots,
  events: Pick<EventStore, 'read'> = store,
): Promise<LoadedAccount> =>
  loadAccount(accountId, {
    store: events,
    logger,
    remembering: { rule: defaultForgetting, recall, snapshots: from },
  });

/** Writes the snapshot that the service would have left `behind` events ago. */
const leaveSnapshot = async (whole: LoadedAccount, behind: number): Promise<void> => {
  const { accountId, revision } = whole.account;
  const limit = revision - behind + 1;
  const past = { read: (stream: string) => store.read(stream, { limit }) };
  const { account, lastHash } = behind === 0 ? whole : await load(accountId, noSnapshots, past);
  const state = toSnapshot(account);
  snapshots.offer(accountId, { revision: account.revision, lastHash, state });
  await snapshots.flushed(5_000);
};

try {
  print(`${String(eventsWanted)} events are stored …`);
  await fill(store, 'long', eventsWanted);
  const startedAt = performance.now();
  const whole = await load('long', noSnapshots);
  const seconds = (performance.now() - startedAt) / 1000;
  print(`without a snapshot, ${String(eventsWanted)} events: ${seconds.toFixed(2)} s`);
  await leaveSnapshot(whole, tail);
  const { account } = await load('long');
  if (account.revision !== whole.account.revision) throw new Error('another revision');
  if (!account.reservedCredits.eq(whole.account.reservedCredits)) throw new Error('other credits');
  const what = `with a snapshot, ${String(openWanted)} open reservations`;
  const loadLong = (): Promise<LoadedAccount> => load('long');
  line(`${what}, ${String(tail)} events after it, warming up`, await timesOf(10, loadLong));
  line(`${what}, ${String(tail)} events after it`, await timesOf(rounds, loadLong));
  await leaveSnapshot(whole, 0);
  line(`${what}, none after it`, await timesOf(rounds, loadLong));

  const others = Array.from({ length: neighbours }, (_, n) => `other_${String(n)}`);
  for (const other of others) await fill(store, other, 300);
  for (const other of others) await leaveSnapshot(await load(other, noSnapshots), 50);
  const oneByOne = await timesOf(3, async () => {
    for (const other of others) await load(other);
  });
  const together = await timesOf(3, () => Promise.all(others.map((other) => load(other))));
  line(
    `${String(neighbours)} accounts one after the other, each 50 events after a snapshot`,
    oneByOne,
  );
  line(`${String(neighbours)} accounts side by side`, together);
} finally {
  await connection.drain();
  await store.close();
  await nats.stop();
  await postgres.stop();
}
