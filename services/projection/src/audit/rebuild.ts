import type { EventStore } from '@tollkeeper/event-store';
import type { Pool } from '@tollkeeper/postgres';
import { BatchProjector } from '../projector/batch-projector.js';
import { markComplete, resetReadModels } from '../projector/checkpoint.store.js';
import { consumeToHead } from '../projector/consume.js';
import { CheckpointMovedError } from '../projector/save-batch.js';

const batchMax = 4096;
const progressMs = 1_000;

export interface RebuildProgress {
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

export interface RebuildOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly onProgress?: (progress: RebuildProgress) => void;
}

/**
 * Makes all read models anew, up to what is stored by the time it gets there.
 *
 * The running projector may stay: the reset moves the checkpoint under it, so it stands by, and should
 * it get a batch in, this one goes on behind that batch.
 */
export const rebuild = async ({
  store,
  pool,
  onProgress,
}: RebuildOptions): Promise<RebuildProgress> => {
  const storeId = await store.storeId();
  await resetReadModels(pool, storeId);
  const startedAt = performance.now();
  let reportedAt = startedAt;
  let events = 0;
  const progress = (): RebuildProgress => {
    const seconds = (performance.now() - startedAt) / 1000;
    return { events, seconds, eventsPerSecond: Math.round(events / Math.max(seconds, 0.001)) };
  };

  const projectToHead = async (): Promise<void> => {
    const projector = await BatchProjector.atCheckpoint(pool, storeId);
    await consumeToHead(store, {
      after: projector.checkpoint,
      batchMax,
      onEvents: async (batch) => {
        await projector.apply(batch);
        events = projector.events;
        if (performance.now() - reportedAt < progressMs) return;
        reportedAt = performance.now();
        onProgress?.(progress());
      },
    });
    await projector.saved();
    await markComplete(pool, projector.checkpoint);
  };

  for (;;) {
    try {
      await projectToHead();
      return progress();
    } catch (error) {
      if (!(error instanceof CheckpointMovedError)) throw error;
    }
  }
};
