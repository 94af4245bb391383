import { rmSync } from 'node:fs';

import { messageOf } from '@tollkeeper/kernel';
import type { Log, ProcessIdentity } from '@tollkeeper/servers';

import type { Home } from '../home/home.js';
import { writeJson } from '../home/json-file.js';
import type { Ready } from '../home/ready-file.js';
import { embeddedServers } from './embedded-servers.js';
import type { ServiceDefinition } from './services.js';
import type { Instance, KeptRunning } from './supervised.js';
import { superviseService } from './supervise-service.js';

export interface DemoAccount {
  readonly accountId: string;
  readonly userId: string;
  readonly apiKey: string;
}

export interface SeedContext {
  readonly home: Home;
  readonly natsUrl: string;
  readonly gatewayUrl: string;
  readonly signal: AbortSignal;
}

export interface PlatformOptions {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly stages: readonly (readonly ServiceDefinition[])[];
  /** Makes the demo account once everything runs. */
  readonly seed: (where: SeedContext) => Promise<DemoAccount>;
  /** Told of each process as soon as it exists. */
  readonly onSpawned: (name: string, identity: ProcessIdentity) => void;
}

/** Every process of one installation: servers, services, and what scripts may know of them. */
export class Platform {
  private readonly started: KeptRunning[] = [];
  private readonly pids = new Map<string, number>([['supervisor', process.pid]]);
  private readonly urls = new Map<string, string>();
  private demo: DemoAccount | undefined;
  private readonly servers;

  constructor(private readonly options: PlatformOptions) {
    const { home, env, log } = options;
    this.servers = embeddedServers({
      home,
      env,
      log,
      onStarted: (name, instance) => {
        this.onStarted(name, instance);
      },
      onMoved: () => {
        this.restartServices();
      },
    });
  }

  /** Everything in order; rejects on the first failure or when the signal says stop. */
  async start(signal: AbortSignal): Promise<Ready> {
    const { log, seed, home, stages } = this.options;
    for (const server of this.servers.supervised) {
      log(`starting ${server.name}`);
      await this.startOne(server, signal);
    }
    for (const stage of stages) {
      log(`starting ${stage.map(({ name }) => name).join(' and ')}`);
      await Promise.all(stage.map((service) => this.startOne(this.supervise(service), signal)));
    }
    log('making sure of the demo account');
    const natsUrl = this.servers.addresses.natsUrl('operator');
    this.demo = await seed({ home, natsUrl, gatewayUrl: this.urls.get('gateway') ?? '', signal });
    signal.throwIfAborted();
    return this.writeReady(this.demo);
  }

  /** Opposite to the order of starting; goes on where one does not stop, and throws at the end. */
  async stop(): Promise<void> {
    rmSync(this.options.home.readyFile, { force: true });
    this.demo = undefined;
    const failures: unknown[] = [];
    for (const process of this.started.splice(0).reverse()) {
      this.options.log(`stopping ${process.name}`);
      await process.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything stopped');
  }

  private async startOne(process: KeptRunning, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.started.push(process);
    await process.start();
    signal.throwIfAborted();
  }

  private supervise(service: ServiceDefinition): KeptRunning {
    const { home, env, log, onSpawned } = this.options;
    return superviseService(service, {
      home,
      env,
      log,
      addresses: this.servers.addresses,
      urlOf: (name) => this.urls.get(name),
      onSpawned,
      onStarted: (name, instance) => {
        if (instance.url) this.urls.set(name, instance.url);
        this.onStarted(name, instance);
      },
    });
  }

  private onStarted(name: string, instance: Instance): void {
    this.pids.set(name, instance.pid);
    if (this.demo) this.writeReady(this.demo);
  }

  /** They end, and are started again with the new address in their environment. */
  private restartServices(): void {
    const servers = new Set<KeptRunning>(this.servers.supervised);
    for (const service of this.started.filter((each) => !servers.has(each))) {
      service.current?.stop().catch((error: unknown) => {
        this.options.log(`${service.name} does not stop: ${messageOf(error)}`);
      });
    }
  }

  private writeReady(demo: DemoAccount): Ready {
    const { addresses } = this.servers;
    const natsUrl = addresses.natsUrl('operator');
    const { username, password } = new URL(natsUrl);
    const kurrentdbUrl = this.options.env['KURRENTDB_URL'];
    const ready: Ready = {
      gatewayUrl: this.urls.get('gateway') ?? '',
      ...demo,
      natsUrl,
      natsUser: decodeURIComponent(username),
      natsPassword: decodeURIComponent(password),
      databaseUrl: addresses.databaseUrl(),
      ...(kurrentdbUrl ? { kurrentdbUrl } : {}),
      simulatorUrl: this.urls.get('simulator') ?? '',
      pids: Object.fromEntries(this.pids),
    };
    writeJson(this.options.home.readyFile, ready);
    return ready;
  }
}
