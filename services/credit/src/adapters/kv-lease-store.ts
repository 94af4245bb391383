import {
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  StorageType,
  type JetStreamClient,
} from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { partitionBucket } from '@tollkeeper/contracts';
import type { NatsConnection } from '@tollkeeper/messaging';
import type { Beat, LeaseStore, Versioned } from '../application/ownership/lease-store.js';
import type { PartitionTable } from '../application/ownership/partition-table.js';

const timeoutMs = 1_000;
const tableKey = 'table';
const beatKey = (instance: string): string => `beat.${instance}`;

/** Leases in a JetStream key-value bucket, which is made when there is none. */
export class KvLeaseStore implements LeaseStore {
  private readonly js: JetStreamClient;
  private bucket: Promise<KV> | undefined;

  constructor(
    private readonly nats: NatsConnection,
    private readonly replicas: number,
  ) {
    this.js = jetstream(nats, { timeout: timeoutMs });
  }

  readBeat(instance: string): Promise<Versioned<Beat> | undefined> {
    return this.read<Beat>(beatKey(instance));
  }

  writeBeat(instance: string, beat: Beat, expected: number): Promise<number | 'conflict'> {
    return this.write(beatKey(instance), beat, expected);
  }

  readTable(): Promise<Versioned<PartitionTable> | undefined> {
    return this.read<PartitionTable>(tableKey);
  }

  writeTable(table: PartitionTable, expected: number): Promise<number | 'conflict'> {
    return this.write(tableKey, table, expected);
  }

  /** A key's write is a message on its subject, so that no consumer is needed to hear of it. */
  onTableWrite(hint: () => void): void {
    this.nats.subscribe(`$KV.${partitionBucket}.${tableKey}`, { callback: hint });
  }

  private async read<T>(key: string): Promise<Versioned<T> | undefined> {
    const entry = await this.withBucket((bucket) => bucket.get(key));
    if (entry?.operation !== 'PUT') return undefined;
    return { value: entry.json<T>(), revision: entry.revision };
  }

  private write(key: string, value: object, expected: number): Promise<number | 'conflict'> {
    return this.withBucket(async (bucket) => {
      try {
        const previousSeq = expected;
        return await bucket.put(key, JSON.stringify(value), { previousSeq, timeout: timeoutMs });
      } catch (error) {
        if (isConflict(error)) return 'conflict';
        throw error;
      }
    });
  }

  /** A bucket that failed is looked up anew the next time: the server may have lost it. */
  private async withBucket<T>(use: (bucket: KV) => Promise<T>): Promise<T> {
    try {
      return await use(await (this.bucket ??= this.open()));
    } catch (error) {
      this.bucket = undefined;
      throw error;
    }
  }

  private open(): Promise<KV> {
    return new Kvm(this.js).create(partitionBucket, {
      history: 1,
      storage: StorageType.File,
      replicas: this.replicas,
      max_bytes: 8 << 20,
      maxValueSize: 64 * 1024,
      // A follower's answer may be old; the leader's is not.
      allow_direct: false,
    });
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown);
