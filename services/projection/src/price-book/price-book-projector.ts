import { setTimeout as sleep } from 'node:timers/promises';
import { priceBookCategories } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';
import type { Logger } from '@tollkeeper/telemetry';
import { consume, consumeToHead } from '../projector/consume.js';
import { CheckpointMovedError } from '../projector/save-batch.js';
import {
  loadPriceBookCheckpoint,
  resetPriceBook,
  savePriceBook,
  saveSettingDefinitions,
} from './price-book.store.js';

const batchMax = 256;
const retryMsMin = 500;
const retryMsMax = 60_000;

interface Options {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly logger: Logger;
}

/**
 * Follows the price book for the life of the service, beside the ledger's projector.
 *
 * An error stops it where it is, loudly, and the same place is tried again ever more rarely; a checkpoint that somebody
 * else has moved is read again at once.
 */
export class PriceBookProjector {
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private retryMs = retryMsMin;

  constructor(private readonly options: Options) {}

  /** @throws ForeignStoreError */
  async start(): Promise<void> {
    const { store, pool } = this.options;
    const storeId = await store.storeId();
    await loadPriceBookCheckpoint(pool, storeId);
    await saveSettingDefinitions(pool);
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
        if (error instanceof CheckpointMovedError) await this.pause(retryMsMin);
        else await this.rest(error);
      }
    }
  }

  private async follow(storeId: string): Promise<void> {
    const { store, pool } = this.options;
    let { position } = await loadPriceBookCheckpoint(pool, storeId);
    await consume(store, {
      after: position,
      categories: priceBookCategories,
      batchMax,
      restMs: 0,
      signal: this.ending.signal,
      onEvents: async (events) => {
        await savePriceBook(pool, { storeId, after: position }, events);
        position = events.at(-1)?.position ?? position;
        this.retryMs = retryMsMin;
      },
    });
  }

  private async rest(error: unknown): Promise<void> {
    this.options.logger.fatal(
      { err: error, retryMs: this.retryMs },
      'PRICE_BOOK_PROJECTOR_STOPPED: system_config and the read price book stand still',
    );
    await this.pause(this.retryMs);
    this.retryMs = Math.min(retryMsMax, this.retryMs * 2);
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}

/** Brings the read price book to what is stored now, up to a position where one is given. */
export const projectPriceBook = async (
  store: EventStore,
  pool: Pool,
  upTo?: string,
): Promise<void> => {
  const storeId = await store.storeId();
  let { position } = await loadPriceBookCheckpoint(pool, storeId);
  await consumeToHead(store, {
    after: position,
    categories: priceBookCategories,
    batchMax,
    onEvents: async (batch) => {
      const covered =
        upTo === undefined
          ? batch
          : batch.filter((event) => store.comparePositions(event.position, upTo) <= 0);
      if (covered.length === 0) return;
      await savePriceBook(pool, { storeId, after: position }, covered);
      position = covered.at(-1)?.position ?? position;
    },
  });
};

/**
 * Makes the read price book anew; a projector that follows meanwhile finishes the work where this one is overtaken. Answers how
 * many events it holds.
 */
export const rebuildPriceBook = async (store: EventStore, pool: Pool): Promise<number> => {
  const storeId = await store.storeId();
  await resetPriceBook(pool, storeId);
  for (;;) {
    try {
      await projectPriceBook(store, pool);
      return (await loadPriceBookCheckpoint(pool, storeId)).events;
    } catch (error) {
      if (!(error instanceof CheckpointMovedError)) throw error;
    }
  }
};
