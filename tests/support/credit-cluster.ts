import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partitionBucket } from '@tollkeeper/contracts';
import type { CreditAccountEvent } from '@tollkeeper/events';
import { openEventStore } from '@tollkeeper/event-store';
import { connectNats, request } from '@tollkeeper/messaging';
import {
  startEphemeralNats,
  startEphemeralPostgres,
  waitUntil,
  type RunningNats,
} from '@tollkeeper/servers';
import { eventsOf } from './account-stream.js';
import { startService, type ServiceProcess } from './service-process.js';

/** Which instance owns each partition, as the lease bucket says. */
export interface Ownership {
  readonly members: Readonly<
    Record<string, { readonly epoch: number; readonly leaving?: boolean }>
  >;
  readonly owners: readonly (string | null)[];
}

export interface CreditCluster {
  readonly nats: RunningNats;
  readonly postgresPid: number;
  readonly databaseUrl: string;
  readonly logFile: string;
  readonly instances: ReadonlyMap<string, ServiceProcess>;
  readonly start: (instance: string) => Promise<ServiceProcess>;
  readonly ownership: () => Promise<Ownership>;
  /** Resolves when these instances, and no others, own all partitions in fair shares. */
  readonly settled: (...instances: readonly string[]) => Promise<void>;
  readonly eventsOf: (accountId: string) => Promise<CreditAccountEvent[]>;
  readonly stop: () => Promise<void>;
}

export interface CreditClusterOptions {
  readonly instances: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly nodeFlags?: readonly string[];
}

/** Credit instances as processes of their own over one NATS server and one store: KurrentDB's where its URL is given. */
export const startCreditCluster = async (options: CreditClusterOptions): Promise<CreditCluster> => {
  const postgres = await startEphemeralPostgres({ durable: true });
  const nats = await startEphemeralNats();
  const logFile = join(mkdtempSync(join(tmpdir(), 'tollkeeper-cluster-')), 'services.log');
  const env = { DATABASE_URL: postgres.url, LOG_LEVEL: 'info', ...options.env };
  const pricing = await startService(
    'pricing',
    { ...env, NATS_URL: nats.url('pricing') },
    { logFile },
  );
  const instances = new Map<string, ServiceProcess>();
  const start = async (instance: string): Promise<ServiceProcess> => {
    const started = await startService(
      'credit',
      { ...env, NATS_URL: nats.url('credit'), INSTANCE_ID: instance },
      { logFile, nodeFlags: options.nodeFlags ?? [] },
    );
    instances.set(instance, started);
    return started;
  };
  await Promise.all(options.instances.map(start));

  const operator = await connectNats({ url: nats.url('operator'), name: 'cluster' });
  const ownership = async (): Promise<Ownership> => {
    const reply = (await request(
      operator,
      `$JS.API.STREAM.MSG.GET.KV_${partitionBucket}`,
      { last_by_subj: `$KV.${partitionBucket}.table` },
      { timeoutMs: 5_000 },
    )) as { message: { data: string } };
    return JSON.parse(Buffer.from(reply.message.data, 'base64').toString()) as Ownership;
  };
  const store = await openEventStore({
    databaseUrl: postgres.url,
    kurrentdbUrl: process.env['KURRENTDB_URL'],
    applicationName: 'cluster',
  });
  return {
    nats,
    postgresPid: postgres.pid,
    databaseUrl: postgres.url,
    logFile,
    instances,
    start,
    ownership,
    settled: async (...names) => {
      const isSettled = async (): Promise<boolean> => {
        const { members, owners } = await ownership();
        const counts = names.map((name) => owners.filter((owner) => owner === name).length);
        const all = counts.reduce((sum, count) => sum + count, 0);
        const fair = all === owners.length && Math.max(...counts) - Math.min(...counts) <= 1;
        return fair && Object.keys(members).length === names.length;
      };
      if (!(await waitUntil(isSettled, { timeoutMs: 30_000 }))) {
        throw new Error(`not shared among ${names.join()}: ${JSON.stringify(await ownership())}`);
      }
    },
    eventsOf: (accountId) => eventsOf(store, accountId),
    stop: async () => {
      await Promise.all([...instances.values()].map((each) => each.stop()));
      await operator.close();
      await store.close();
      await pricing.stop();
      await nats.stop();
      await postgres.stop();
    },
  };
};
