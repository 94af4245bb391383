import { setTimeout as sleep } from 'node:timers/promises';
import type { EventStore } from '@tollkeeper/event-store';
import { messageOf } from '@tollkeeper/kernel';
import type { Pool } from '@tollkeeper/postgres';
import type { Logger } from '@tollkeeper/telemetry';
import { BatchProjector } from './batch-projector.js';
import { loadCheckpoint, markComplete } from './checkpoint.store.js';
import { consume, creditHead, hasReached } from './consume.js';
import { CheckpointMovedError } from './save-batch.js';

const batchMax = 2048;
/** Under load one wake-up in so many milliseconds, whatever the number of commits. */
const restMs = 100;
const standByMs = 1_000;
const retryMsMin = 500;
const retryMsMax = 60_000;

export interface ProjectorOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly standByMs?: number;
}

/**
 * Follows the event store for the life of the service.
 *
 * An error stops the read models where they are: it is logged as fatal, reads are marked stale, and the same place is
 * tried again ever more rarely, because most causes (a database that restarts) pass and the others
 * (an event of a newer version) must not be stepped over.
 */
export class Projector {
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private retryMs = retryMsMin;
  private problem: string | undefined;

  constructor(private readonly options: ProjectorOptions) {}

  /** Why the read models stand still; undefined while they follow. */
  get stoppedBecause(): string | undefined {
    return this.problem;
  }

  /** @throws ForeignStoreError */
  async start(): Promise<void> {
    const storeId = await this.options.store.storeId();
    await loadCheckpoint(this.options.pool, storeId);
    this.running = this.run(storeId);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(storeId: string): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await this.follow(storeId);
      } catch (error) {
        if (error instanceof CheckpointMovedError) await this.standBy(storeId);
        else await this.rest(error);
      }
    }
  }

  private async follow(storeId: string): Promise<void> {
    const { pool, store, logger } = this.options;
    const projector = await BatchProjector.atCheckpoint(pool, storeId);
    const head = await creditHead(store);
    let isComplete = false;
    const completeAtHead = async (): Promise<void> => {
      if (isComplete || !hasReached(store, projector.checkpoint, head)) return;
      await markComplete(pool, projector.checkpoint);
      isComplete = true;
      this.recovered();
    };
    await completeAtHead();
    await consume(store, {
      after: projector.checkpoint,
      batchMax,
      restMs,
      signal: this.ending.signal,
      onEvents: async (events) => {
        await projector.apply(events);
        for (const account of await projector.saved()) {
          logger.fatal(account, 'ACCOUNT_PARKED: its events cannot be read on; others go on');
        }
        await completeAtHead();
        this.recovered();
      },
    });
  }

  private recovered(): void {
    if (this.problem !== undefined) this.options.logger.info('the projector follows again');
    this.problem = undefined;
    this.retryMs = retryMsMin;
  }

  private async rest(error: unknown): Promise<void> {
    this.problem = messageOf(error);
    this.options.logger.fatal(
      { err: error, retryMs: this.retryMs },
      'PROJECTOR_STOPPED: the read models stand still',
    );
    await this.pause(this.retryMs);
    this.retryMs = Math.min(retryMsMax, this.retryMs * 2);
  }

  /** A rebuild or another instance is at work: watches until the checkpoint rests, then takes over. */
  private async standBy(storeId: string): Promise<void> {
    const { pool, logger } = this.options;
    logger.info('another projector moves the checkpoint; standing by');
    try {
      let seen = await loadCheckpoint(pool, storeId);
      for (;;) {
        await this.pause(this.options.standByMs ?? standByMs);
        if (this.ending.signal.aborted) return;
        const now = await loadCheckpoint(pool, storeId);
        if (now.position === seen.position) return;
        seen = now;
      }
    } catch (error) {
      await this.rest(error);
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
