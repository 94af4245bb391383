import { uuidv7 } from '@tollkeeper/kernel';
import { connectNats, type NatsConnection } from '@tollkeeper/messaging';
import { startEphemeralNats, type RunningNats } from '@tollkeeper/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultForgetting } from '../domain/credit-account/memory.js';
import { SpecService, startMs } from '../remembering.fixture.js';
import { kvSnapshots } from './kv-snapshots.js';

describe('the bucket of snapshots', () => {
  let server: RunningNats;
  let nats: NatsConnection;

  beforeAll(async () => {
    server = await startEphemeralNats();
    nats = await connectNats({ url: server.url('credit'), name: 'spec' });
  }, 240_000);
  afterAll(async () => {
    await nats.close();
    await server.stop();
  });

  it('keeps each account’s last one', async () => {
    const bucket = kvSnapshots(nats);
    expect(await bucket.get('acc_1')).toBeUndefined();
    await bucket.put('acc_1', 'one');
    await bucket.put('acc_1', 'two');
    expect(await kvSnapshots(nats).get('acc_1')).toBe('two');
  });

  it('refuses what is larger than its limit', async () => {
    const bucket = kvSnapshots(nats);
    await expect(bucket.put('acc_2', 'x'.repeat(bucket.valueBytesMax + 1_000))).rejects.toThrow();
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
    expect(await kvSnapshots(nats).get('acc_3')).toContain('"revision":101');
  });
});
