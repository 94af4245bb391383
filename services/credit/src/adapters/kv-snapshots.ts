import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@tollkeeper/messaging';
import type { SnapshotBucket } from '../application/snapshot-writer.js';

export const snapshotBucket = 'credit-snapshots';

/** Half of what one NATS message carries. */
const valueBytesMax = 512 * 1024;
const bucketBytesMax = 1024 * 1024 * 1024;
const timeoutMs = 500;

const options = {
  history: 1,
  maxValueSize: valueBytesMax,
  max_bytes: bucketBytesMax,
  storage: 'file',
} as const;

/** A JetStream key-value bucket, made at the first use; asked again after a failure. */
export const kvSnapshots = (nats: NatsConnection): SnapshotBucket => {
  let opened: Promise<KV> | undefined;
  const bucket = (): Promise<KV> => {
    opened ??= new Kvm(nats).create(snapshotBucket, options).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    valueBytesMax,
    get: (accountId) =>
      inTime(async () => {
        const entry = await (await bucket()).get(accountId);
        return entry?.operation === 'PUT' ? entry.string() : undefined;
      }),
    put: (accountId, text) =>
      inTime(async () => {
        await (await bucket()).put(accountId, text);
      }),
  };
};

/** A load waits for no snapshot longer than reading the events would take. */
const inTime = async <T>(ask: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer of JetStream in ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
};
