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
    opened ??= new Kvm(nats)
      .create(snapshotBucket, { ...options, timeout: timeoutMs })
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
  return {
    valueBytesMax,
    get: async (accountId) => {
      const entry = await (await bucket()).get(accountId);
      return entry?.operation === 'PUT' ? entry.string() : undefined;
    },
    put: async (accountId, text) => {
      await (await bucket()).put(accountId, text);
    },
  };
};
