import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import { startEphemeralNats, startEphemeralPostgres, type NatsUser } from '@tollkeeper/servers';
import { startLossyProxy, type LossyProxy, type Random } from '@tollkeeper/testing';
import { keepRunning, type KeptRunning } from './kept-running.js';
import { startKurrentdbNode } from './kurrentdb-node.js';
import { startService, type ServiceProcess } from './service-process.js';
import { StreamFiles } from './stream-files.js';
import { VolatileDisk, type Remains } from './volatile-disk.js';

export interface LedgerPlatformOptions {
  /** Each serves the accounts of the partitions that it has leased. */
  readonly creditInstances?: number;
  readonly projection?: boolean;
  /** Holds the events instead of PostgreSQL. */
  readonly kurrentdbUrl?: string | undefined;
  /** The path of a node's program: the same with a node that is ours to break. */
  readonly kurrentdbProgram?: string | undefined;
  /** Of the credit service, e.g. a short CALL_TIMEOUT_MS. */
  readonly env?: Readonly<Record<string, string>>;
  /** Between each service and the servers it talks to stands a relay that can fail. */
  readonly relayed?: boolean;
  /** The servers' disks can lose what was not flushed: the library of `compileVolatileDisk`. */
  readonly volatileDisk?: string | undefined;
  /** The disk of the node of KurrentDB flushes nothing and says that it does. */
  readonly lyingDisk?: boolean;
}

/** The machine of the one server, or one machine for all. */
export type PowerTarget = 'postgres' | 'kurrentdb' | 'nats' | 'machine';

/** What the ledger needs and no more: servers, pricing, credit, perhaps the projection; each started again when it ends. */
export interface LedgerPlatform {
  /** The credit instances, `projection`, `pricing`, `nats`, `postgres`, `kurrentdb`. */
  readonly processes: ReadonlyMap<string, KeptRunning>;
  /** `credit-0 → store`, `projection → nats`, …; empty unless relayed. */
  readonly links: ReadonlyMap<string, LossyProxy>;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly kurrentdbUrl: string | undefined;
  readonly store: () => Promise<EventStore>;
  /** Undefined without a volatile disk. Resolves when the power is back; what was kept running starts again by itself. */
  readonly losePower:
    ((target: PowerTarget, random: Random, remains?: Remains) => Promise<void>) | undefined;
  readonly logs: string;
  readonly stop: () => Promise<void>;
}

export const startLedgerPlatform = async (
  options: LedgerPlatformOptions = {},
): Promise<LedgerPlatform> => {
  const { creditInstances = 1, kurrentdbProgram, relayed = false, volatileDisk } = options;
  const disks = volatileDisk === undefined ? undefined : newDisks(volatileDisk, options.lyingDisk);
  const postgres = await startEphemeralPostgres({ durable: true, ...disks?.postgres.forPostgres });
  const node =
    kurrentdbProgram === undefined
      ? undefined
      : await startKurrentdbNode(kurrentdbProgram, disks?.kurrentdb.turnOn);
  const kurrentdbUrl = node?.url ?? options.kurrentdbUrl;
  const nats = await startEphemeralNats();
  const streams = new StreamFiles(nats.storeDir);
  const logs = mkdtempSync(join(tmpdir(), 'tollkeeper-ledger-'));
  // Everybody goes through these, since a server that was killed may come back on another port.
  const toPostgres = await startLossyProxy('127.0.0.1', postgres.port);
  const toNats = await startLossyProxy('127.0.0.1', nats.port);
  const databaseUrl = withPort(postgres.url, toPostgres.port);
  const natsUrl = (user: NatsUser): string => withPort(nats.url(user), toNats.port);

  /** Of the machine that the services share. */
  let power: Promise<void> | undefined;
  const processes = new Map<string, KeptRunning>();
  const services: ServiceProcess[] = [];
  const keep = async (name: string, launch: Parameters<typeof keepRunning>[1]): Promise<void> => {
    processes.set(name, await keepRunning(name, launch));
  };
  const serve = (name: string, service: string, env: Record<string, string | undefined>) =>
    keep(name, async () => {
      await power;
      const common = { DATABASE_URL: databaseUrl, KURRENTDB_URL: kurrentdbUrl, LOG_LEVEL: 'warn' };
      const logFile = join(logs, `${name}.log`);
      const started = await startService(service, { ...common, ...env }, { logFile });
      services.push(started);
      return started;
    });

  await keep('postgres', async (life) => {
    if (life === 1) return postgres;
    const again = await postgres.startAgain();
    toPostgres.moveTo(again.port);
    return again;
  });
  await keep('nats', async (life) => {
    if (life === 1) return nats;
    await streams.restore();
    const again = await nats.startAgain();
    toNats.moveTo(again.port);
    return again;
  });
  if (node)
    await keep('kurrentdb', (life) => (life === 1 ? Promise.resolve(node) : node.startAgain()));
  await serve('pricing', 'pricing', { NATS_URL: natsUrl('pricing') });
  const links = new Map<string, LossyProxy>();
  const link = async (name: string, url: string): Promise<string> => {
    if (!relayed) return url;
    const proxy = await startLossyProxy('127.0.0.1', Number(new URL(url).port));
    links.set(name, proxy);
    return withPort(url, proxy.port);
  };
  if (options.projection) {
    await serve('projection', 'projection', {
      NATS_URL: await link('projection → nats', natsUrl('projection')),
      DATABASE_URL: await link('projection → postgres', databaseUrl),
    });
  }
  for (let n = 0; n < creditInstances; n++) {
    const name = `credit-${String(n)}`;
    const store = kurrentdbUrl ?? databaseUrl;
    const storeUrl = await link(`${name} → store`, store);
    await serve(name, 'credit', {
      ...options.env,
      INSTANCE_ID: name,
      NATS_URL: await link(`${name} → nats`, natsUrl('credit')),
      ...(kurrentdbUrl === undefined ? { DATABASE_URL: storeUrl } : { KURRENTDB_URL: storeUrl }),
    });
  }

  const losePower = async (
    target: PowerTarget,
    random: Random,
    remains: Remains = {
      sectors: random.pick([0, 0, 0.5]),
      names: random.int(0, 1) === 1,
    },
  ): Promise<void> => {
    const isOff = (name: string): boolean => target === 'machine' || name === target;
    if (isOff('nats')) streams.lose(random);
    const victims = [...processes].filter(([name]) => isOff(name));
    const off = Promise.all(victims.map(([, each]) => each.powerOff())).then(() => undefined);
    const losses = (['postgres', 'kurrentdb'] as const)
      .filter((name) => isOff(name) && processes.has(name))
      .flatMap((name) => disks?.[name].losePower(off, random, remains) ?? []);
    const back = Promise.all(losses).then(() => undefined);
    if (target === 'machine') power = back;
    await off;
    if (!isOff('nats')) await streams.remember();
    await back;
  };

  let store: Promise<EventStore> | undefined;
  return {
    losePower: disks && losePower,
    processes,
    links,
    natsUrl: natsUrl('operator'),
    databaseUrl,
    kurrentdbUrl,
    logs,
    store: () =>
      (store ??= openEventStore({ databaseUrl, kurrentdbUrl, applicationName: 'tests' })),
    stop: async () => {
      for (const each of processes.values()) {
        each.letGo();
        each.signal('SIGCONT');
      }
      await (await store)?.close();
      await Promise.all(services.map((service) => service.stop()));
      await Promise.all([...links.values(), toPostgres, toNats].map((each) => each.close()));
      await nats.stop();
      await postgres.stop();
      await node?.stop();
      rmSync(logs, { recursive: true, force: true });
    },
  };
};

const newDisks = (
  library: string,
  lies = false,
): Readonly<Record<'postgres' | 'kurrentdb', VolatileDisk>> => ({
  postgres: new VolatileDisk(library),
  kurrentdb: new VolatileDisk(library, lies),
});

const withPort = (text: string, port: number): string => {
  const url = new URL(text);
  url.port = String(port);
  return url.href;
};
