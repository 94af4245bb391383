import { Kvm, type KV } from '@nats-io/kv';
import { ensureStream, type NatsConnection, type StreamConfig } from '@tollkeeper/messaging';
import type { SnapshotBucket } from '../application/snapshot-writer.js';

export const snapshotBucket = 'credit-snapshots';

/** Half of what one NATS message carries. */
const valueBytesMax = 512 * 1024;
const bucketBytesMax = 1024 * 1024 * 1024;
const timeoutMs = 500;

/**
 * As a bucket has it, but for `discard`: a full one gives its oldest snapshots up, and goes on taking new ones. Buckets
 * as the client makes them take nothing more when they are full, which would be for good.
 */
const streamOf = (bytesMax: number): StreamConfig => ({
  name: `KV_${snapshotBucket}`,
  subjects: [`$KV.${snapshotBucket}.>`],
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  max_msgs_per_subject: 1,
  max_bytes: bytesMax,
  max_msg_size: valueBytesMax,
  allow_direct: true,
  num_replicas: 1,
});

/** A JetStream key-value bucket, made at the first use; asked again after a failure. */
export const kvSnapshots = (nats: NatsConnection, bytesMax = bucketBytesMax): SnapshotBucket => {
  let opened: Promise<KV> | undefined;
  const open = async (): Promise<KV> => {
    await ensureStream(nats, streamOf(bytesMax));
    return new Kvm(nats).open(snapshotBucket, { allow_direct: true });
  };
  const bucket = (): Promise<KV> => {
    opened ??= open().catch((error: unknown) => {
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
        return entry?.operation === 'PUT' ? entry.value : undefined;
      }),
    put: (accountId, value) =>
      inTime(async () => {
        await (await bucket()).put(accountId, value);
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
