import { messageOf } from '@tollkeeper/kernel';
import type { Log, ServerExit } from '@tollkeeper/servers';

import { backOffMs, HEALTHY_MS } from './back-off.js';

/** One life of a process that is kept running. */
export interface Instance {
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  readonly stop: () => Promise<void>;
}

export interface SupervisedOptions<I extends Instance> {
  readonly name: string;
  /** Resolves when it is ready; cleans up after itself when it is not, or when the signal says stop. */
  readonly launch: (signal: AbortSignal) => Promise<I>;
  /** How often the first start is tried before it counts as failed. */
  readonly firstAttemptsMax?: number;
  readonly log: Log;
  /** Told of every life, the first included. */
  readonly onStarted?: (instance: I) => void;
}

/** What the platform needs of anything that is kept running, whatever its lives look like. */
export interface KeptRunning {
  readonly name: string;
  readonly current: Instance | undefined;
  readonly start: () => Promise<Instance>;
  readonly stop: () => Promise<void>;
}

const describeExit = ({ code, signal }: ServerExit): string =>
  signal ? `was ended by ${signal}` : `ended with code ${String(code)}`;

const seconds = (ms: number): string => `${(ms / 1000).toString()} s`;

/** Starts a process again whenever it ends, with exponential back-off, until it is told to stop. */
export class Supervised<I extends Instance> implements KeptRunning {
  private readonly stopping = new AbortController();
  private instance: I | undefined;
  private deathsInARow = 0;
  private watching: Promise<void> = Promise.resolve();

  constructor(private readonly options: SupervisedOptions<I>) {}

  get current(): I | undefined {
    return this.instance;
  }

  get name(): string {
    return this.options.name;
  }

  /** Resolves when it is ready for the first time; throws the last failure when it never is. */
  start(): Promise<I> {
    const started = this.startFirst();
    this.watching = started.then(
      (instance) => this.watch(instance),
      () => undefined,
    );
    return started;
  }

  /** Resolves when nothing of it runs any more, a start that was under way included. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.instance?.stop();
    await this.watching;
  }

  private async startFirst(): Promise<I> {
    const { firstAttemptsMax = 3, log, name } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.launch();
      } catch (error) {
        if (this.isStopping() || attempt >= firstAttemptsMax) throw error;
        log(`${name} did not start (${messageOf(error)}); trying again`);
        await this.pause(backOffMs(attempt));
      }
    }
  }

  private async launch(): Promise<I> {
    const { signal } = this.stopping;
    signal.throwIfAborted();
    const instance = await this.options.launch(signal);
    if (signal.aborted) {
      await instance.stop();
      signal.throwIfAborted();
    }
    this.instance = instance;
    this.options.onStarted?.(instance);
    return instance;
  }

  private async watch(first: I): Promise<void> {
    const { log, name } = this.options;
    for (let instance: I | undefined = first; instance;) {
      const startedAtMs = performance.now();
      const exit = await instance.exited;
      if (this.isStopping()) return;
      if (performance.now() - startedAtMs >= HEALTHY_MS) this.deathsInARow = 0;
      log(`${name} ${describeExit(exit)}`);
      instance = await this.revive();
      if (instance) log(`${name} is back (pid ${instance.pid.toString()})`);
    }
  }

  /** Undefined when it was told to stop meanwhile. */
  private async revive(): Promise<I | undefined> {
    const { log, name } = this.options;
    while (!this.isStopping()) {
      this.deathsInARow += 1;
      const waitMs = backOffMs(this.deathsInARow);
      log(`starting ${name} again in ${seconds(waitMs)}`);
      await this.pause(waitMs);
      try {
        return await this.launch();
      } catch (error) {
        if (!this.isStopping()) log(`${name} did not start: ${messageOf(error)}`);
      }
    }
    return undefined;
  }

  /** A call, because it changes behind every await. */
  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Told to stop, it stops waiting; the callers look for that themselves. */
  private pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}
