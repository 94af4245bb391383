import { inflateRawSync } from 'node:zlib';
import { StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, type NatsConnection } from '@tollkeeper/messaging';
import { startEphemeralNats, type RunningNats } from '@tollkeeper/servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultForgetting } from '../domain/credit-account/memory.js';
import { SpecService, startMs } from '../remembering.fixture.js';
import type { SnapshotBucket } from '../application/snapshot-writer.js';
import { kvSnapshots, snapshotBucket } from './kv-snapshots.js';

const valueIn = async (bucket: SnapshotBucket, accountId: string): Promise<number[]> => [
  ...((await bucket.get(accountId)) ?? []),
];

describe('the bucket of snapshots', () => {
  let server: RunningNats;
  let nats: NatsConnection;

  beforeEach(async () => {
    server = await startEphemeralNats();
    nats = await connectNats({ url: server.url('credit'), name: 'spec' });
  }, 240_000);
  afterEach(async () => {
    await nats.close();
    await server.stop();
  });

  it('keeps each account’s last one', async () => {
    const bucket = kvSnapshots(nats);
    expect(await bucket.get('acc_1')).toBeUndefined();
    await bucket.put('acc_1', Buffer.from([1]));
    await bucket.put('acc_1', Buffer.from([2, 0, 255]));
    expect(await valueIn(kvSnapshots(nats), 'acc_1')).toEqual([2, 0, 255]);
  });

  it('refuses what is larger than its limit', async () => {
    const bucket = kvSnapshots(nats);
    await expect(bucket.put('acc_2', Buffer.alloc(bucket.valueBytesMax + 1_000))).rejects.toThrow();
  });

  it('lets an account be loaded from where it stood', async () => {
    const service = new SpecService({ forgetting: defaultForgetting, bucket: kvSnapshots(nats) });
    await service.open('acc_3');
    for (let n = 0; n < 50; n += 1) {
      await service.send('charge', uuidv7(startMs + n), { amountCredits: '10' }, 'acc_3');
    }
    await service.restart();
    const refused = await service.send('charge', uuidv7(), { amountCredits: '501' }, 'acc_3');
    expect(refused).toMatchObject({ details: { available: '500' } });
    const value = (await kvSnapshots(nats).get('acc_3')) ?? Buffer.alloc(0);
    expect(inflateRawSync(value).toString()).toContain('"revision":101');
  });

  it('gives its oldest ones up when it is full, also one that was made to take no more then', async () => {
    await new Kvm(nats).create(snapshotBucket, {
      history: 1,
      max_bytes: 600 * 1024,
      storage: StorageType.File,
    });
    const bucket = kvSnapshots(nats, 600 * 1024);
    for (const accountId of ['acc_4', 'acc_5', 'acc_6', 'acc_5']) {
      await bucket.put(accountId, Buffer.alloc(250 * 1024, accountId));
    }
    expect(await bucket.get('acc_4')).toBeUndefined();
    expect(await bucket.get('acc_5')).toHaveLength(250 * 1024);
    expect(await bucket.get('acc_6')).toHaveLength(250 * 1024);
  });
});
