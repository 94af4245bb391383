import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { partitionOf } from '@tollkeeper/contracts';
import { creditStream, fromStoredCredit, type CreditAccountEvent } from '@tollkeeper/events';
import { createMemoryEventStore, type EventStore } from '@tollkeeper/event-store';
import { createLogger } from '@tollkeeper/telemetry';
import { converters, toReply, type Verb } from './credit.convert.js';
import { priceBook } from './domain/credit-account/credit-account.fixture.js';
import type { ForgettingRule } from './domain/credit-account/memory.js';
import { defaultRules } from './domain/credit-account/rules.js';
import {
  CreditAccounts,
  defaultQueueLimits,
  type QueueLimits,
} from './application/credit-accounts.js';
import { IndexedRecall, type IndexEntry, type ReservationIndex } from './application/recall.js';
import { SnapshotWriter, type SnapshotBucket } from './application/snapshot-writer.js';
import type { SnapshotRule } from './application/snapshots.js';

export const logger = createLogger('credit-spec');
logger.level = 'silent';

export const startMs = Date.parse('2026-03-01T12:00:00.000Z');

/** For specs: an index that knows an account's events only as far as it is told to look. */
export class LaggingIndex implements ReservationIndex {
  asked = 0;
  /** Events at the end of each stream that it has not seen yet. */
  lag = 0;
  away = false;

  constructor(private readonly store: EventStore) {}

  async look(accountId: string, reservationId: string): Promise<IndexEntry> {
    this.asked += 1;
    if (this.away) throw new Error('the index is away');
    const events: CreditAccountEvent[] = [];
    for await (const event of this.store.read(creditStream(accountId))) {
      events.push(fromStoredCredit(event));
    }
    const seen = events.slice(0, Math.max(0, events.length - this.lag));
    const revisions = [...seen.keys()].filter((revision) => {
      const data = seen[revision]?.data;
      return data && 'reservationId' in data && data.reservationId === reservationId;
    });
    return { revisions, indexedRevision: seen.length - 1 };
  }
}

export interface Bucket extends SnapshotBucket {
  readonly values: Map<string, Uint8Array>;
  /** What a snapshot says; '' where there is none. */
  readonly textOf: (accountId: string) => string;
}

export const packed = (text: string): Uint8Array => deflateRawSync(text);

export const memoryBucket = (valueBytesMax = 512 * 1024): Bucket => {
  const values = new Map<string, Uint8Array>();
  const textOf = (accountId: string): string => {
    const value = values.get(accountId);
    return value ? inflateRawSync(value).toString() : '';
  };
  return {
    values,
    textOf,
    valueBytesMax,
    get: (accountId) => Promise.resolve(values.get(accountId)),
    put: (accountId, value) => {
      values.set(accountId, value);
      return Promise.resolve();
    },
  };
};

export interface ServiceOptions {
  readonly store?: EventStore;
  /** Absent: remembers everything. */
  readonly forgetting?: ForgettingRule;
  readonly bucket?: SnapshotBucket;
  readonly snapshotRule?: SnapshotRule;
  readonly limits?: Partial<QueueLimits>;
}

/** For specs: the credit service over a store in memory, with its real requests and replies. */
export class SpecService {
  readonly store: EventStore;
  readonly index: LaggingIndex;
  nowMs = startMs;
  private readonly bucket: SnapshotBucket;
  private snapshots: SnapshotWriter;
  private accounts: CreditAccounts;

  constructor(private readonly options: ServiceOptions = {}) {
    this.store = options.store ?? createMemoryEventStore();
    this.index = new LaggingIndex(this.store);
    this.bucket = options.bucket ?? memoryBucket();
    this.snapshots = this.makeSnapshots();
    this.accounts = this.makeAccounts();
  }

  get size() {
    return this.accounts.size;
  }

  async send(verb: Verb, commandId: string, body: object, accountId = 'acc_1'): Promise<object> {
    const request = converters[verb](body, {
      commandId,
      correlationId: undefined,
      causationId: undefined,
      actor: 'spec',
    });
    return toReply(await this.accounts.submit(accountId, request));
  }

  async open(accountId = 'acc_1', amountCredits = '1000'): Promise<void> {
    await this.send('open', 'open', { ownerUserId: 'usr_1', tier: 'pro' }, accountId);
    await this.send('grant', 'grant', { amountCredits }, accountId);
  }

  /** Stops and starts again: nothing is left but what is stored. */
  async restart(): Promise<void> {
    await this.accounts.drained();
    this.accounts.offerSnapshots();
    await this.snapshots.flushed(1_000);
    this.crash();
  }

  /** Learns that another instance owns the account. */
  lose(accountId: string): void {
    this.accounts.forget(new Set([partitionOf(accountId)]));
  }

  /** Starts again without having stopped. */
  crash(): void {
    this.snapshots = this.makeSnapshots();
    this.accounts = this.makeAccounts();
  }

  async events(accountId = 'acc_1'): Promise<CreditAccountEvent[]> {
    const events: CreditAccountEvent[] = [];
    for await (const event of this.store.read(creditStream(accountId))) {
      const { type, data } = fromStoredCredit(event);
      events.push({ type, data } as CreditAccountEvent);
    }
    return events;
  }

  private makeSnapshots(): SnapshotWriter {
    return new SnapshotWriter(this.bucket, logger, this.options.snapshotRule);
  }

  private makeAccounts(): CreditAccounts {
    const { store, index, options } = this;
    return new CreditAccounts(
      {
        store,
        prices: priceBook(),
        clock: { now: () => new Date(this.nowMs), isSteady: () => true },
        logger,
        rules: defaultRules,
        reservationTtlMs: 720_000,
        ...(options.forgetting
          ? {
              remembering: {
                rule: options.forgetting,
                recall: new IndexedRecall({ index, store, logger, waitMs: 0 }),
                snapshots: this.snapshots,
              },
            }
          : {}),
      },
      { ...defaultQueueLimits, ...options.limits },
    );
  }
}
