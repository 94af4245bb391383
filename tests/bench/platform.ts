import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { creditSubjects, identitySubjects, type IssueKeyReply } from '@tollkeeper/contracts';
import { connectNats, request } from '@tollkeeper/messaging';
import { startEphemeralNats, startEphemeralPostgres } from '@tollkeeper/servers';
import { startService, type ServiceProcess } from '../support/service-process.js';
import { cpuSecondsOf } from './cpu.js';

export interface Platform {
  readonly databaseUrl: string;
  readonly gatewayUrl: string;
  readonly simulatorUrl: string;
  readonly cpu: () => Promise<Readonly<Record<string, number>>>;
  /** Opens funded accounts; an API key for each. */
  readonly openAccounts: (count: number) => Promise<string[]>;
  /** Stops the services and keeps the servers, so that the books can be proven at rest. */
  readonly stop: () => Promise<void>;
}

export interface PlatformOptions {
  readonly kurrentdbUrl: string | undefined;
  /** Services that write a CPU profile into `profiles/` when they stop. */
  readonly profiled: readonly string[];
}

/** Every service as a process of its own, on servers with fsync on. */
export const startPlatform = async (options: PlatformOptions): Promise<Platform> => {
  const postgres = await startEphemeralPostgres({ durable: true });
  const nats = await startEphemeralNats();
  const home = mkdtempSync(join(tmpdir(), 'tollkeeper-bench-'));
  const services = new Map<string, ServiceProcess>();
  const start = async (name: string, env: Record<string, string | undefined>): Promise<void> => {
    const nodeFlags = options.profiled.includes(name)
      ? ['--cpu-prof', `--cpu-prof-dir=profiles/${name}`]
      : [];
    const common = {
      DATABASE_URL: postgres.url,
      KURRENTDB_URL: options.kurrentdbUrl,
      LOG_LEVEL: 'warn',
      NODE_ENV: 'production',
    };
    const logFile = join(home, `${name}.log`);
    services.set(name, await startService(name, { ...common, ...env }, { logFile, nodeFlags }));
  };
  await start('simulator', { SIM_DATA_DIR: join(home, 'simulator') });
  const simulatorUrl = services.get('simulator')?.url ?? '';
  await start('pricing', { NATS_URL: nats.url('pricing') });
  await start('credit', { NATS_URL: nats.url('credit') });
  await start('projection', { NATS_URL: nats.url('projection') });
  await start('gateway', {
    NATS_URL: nats.url('gateway'),
    SIMULATOR_URL: simulatorUrl,
    GATEWAY_DATA_DIR: join(home, 'gateway'),
  });
  const operatorUrl = nats.url('operator');

  return {
    databaseUrl: postgres.url,
    gatewayUrl: services.get('gateway')?.url ?? '',
    simulatorUrl,
    cpu: () =>
      cpuSecondsOf({
        ...Object.fromEntries([...services].map(([name, service]) => [name, service.pid])),
        postgres: postgres.pid,
        nats: nats.pid,
      }),
    openAccounts: (count) => openAccounts(operatorUrl, count),
    stop: async () => {
      for (const name of ['gateway', 'projection', 'credit', 'pricing', 'simulator']) {
        await services.get(name)?.stop();
      }
      await nats.stop();
      await postgres.stop();
    },
  };
};

const openAccounts = async (operatorUrl: string, count: number): Promise<string[]> => {
  const nats = await connectNats({ url: operatorUrl, name: 'bench' });
  const options = { timeoutMs: 30_000 };
  const run = crypto.randomUUID().slice(0, 8);
  const open = async (n: number): Promise<string> => {
    const accountId = `bench_${run}_${String(n)}`;
    const account = { ownerUserId: 'usr_bench', tier: 'pro' };
    await request(nats, creditSubjects.open(accountId), account, options);
    await request(nats, creditSubjects.grant(accountId), { amountCredits: '1000000' }, options);
    const key = { accountId, userId: 'usr_bench' };
    const reply = (await request(nats, identitySubjects.issueKey, key, options)) as IssueKeyReply;
    if (reply.status !== 'accepted') throw new Error(reply.message);
    return reply.apiKey;
  };
  const keys: string[] = [];
  for (let n = 0; n < count; n += 50) {
    const some = Array.from({ length: Math.min(50, count - n) }, (_, m) => open(n + m));
    keys.push(...(await Promise.all(some)));
  }
  await nats.close();
  return keys;
};
