import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerSubjects } from '@tollkeeper/contracts';
import type { EventStore, RecordedEvent } from '@tollkeeper/event-store';
import {
  ensureStream,
  publishStored,
  type NatsConnection,
  type StreamConfig,
} from '@tollkeeper/messaging';
import type { Pool } from '@tollkeeper/postgres';
import type { Logger } from '@tollkeeper/telemetry';
import { consume } from '../projector/consume.js';
import { ledgerMessage } from './ledger-message.js';
import { loadPublished, movePublished, PublicationMovedError } from './publication.store.js';

const batchMax = 512;
/** Under load one wake-up in so many milliseconds. */
const restMs = 100;
const publishTimeoutMs = 10_000;
const retryMsMin = 500;
const retryMsMax = 30_000;

/** JetStream counts the headers, too: the event's id, and some 50 bytes about it. */
const messageBytesMax = 65_536;
const headerBytesMax = 256;

const nanosecondsOfSecond = 1_000_000_000;

/** On disk, because what was published is not published again: a server that restarts must still have it. */
const streamConfig: StreamConfig = {
  name: ledgerSubjects.stream,
  subjects: [ledgerSubjects.all],
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  max_age: 7 * 86_400 * nanosecondsOfSecond,
  max_bytes: 1 << 30,
  max_msg_size: messageBytesMax,
  duplicate_window: 600 * nanosecondsOfSecond,
  num_replicas: 1,
};

export interface LedgerPublisherOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly nats: NatsConnection;
  readonly logger: Logger;
}

/**
 * Publishes every event of the credit accounts to JetStream, for other services: at least once, from a position of
 * its own, which moves when the stream has stored a batch.
 *
 * A kill in between publishes the batch again; within the stream's duplicate window it is stored once all the same.
 * The events of an account come in order, unless a publish failed and was repeated: `revision` tells.
 * A gap in it tells of an event that is broken, or too large for a message. Nothing in the ledger waits for this.
 */
export class LedgerPublisher {
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private retryMs = retryMsMin;

  constructor(private readonly options: LedgerPublisherOptions) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await this.follow();
      } catch (error) {
        if (!(error instanceof PublicationMovedError)) {
          this.options.logger.error(
            { err: error, retryMs: this.retryMs },
            'LEDGER_EVENTS_DELAYED: the ledger goes on, its events are published later',
          );
        }
        await sleep(this.retryMs, undefined, { signal }).catch(() => undefined);
        this.retryMs = Math.min(retryMsMax, this.retryMs * 2);
      }
    }
  }

  private async follow(): Promise<void> {
    const { store, pool, nats } = this.options;
    await ensureStream(nats, streamConfig);
    const publication = { stream: ledgerSubjects.stream, storeId: await store.storeId() };
    let published = await loadPublished(pool, publication);
    await consume(store, {
      after: published,
      batchMax,
      restMs,
      signal: this.ending.signal,
      onEvents: async (events) => {
        const last = events.at(-1);
        if (!last) return;
        await Promise.all(events.map((event) => this.publish(event)));
        await movePublished(pool, publication, published, last.position);
        published = last.position;
        this.retryMs = retryMsMin;
      },
    });
  }

  private async publish(event: RecordedEvent): Promise<void> {
    const message = ledgerMessage(event);
    const { nats, logger } = this.options;
    if (!message) {
      logger.error({ event: event.id }, 'a broken event is not published');
      return;
    }
    const bytes = Buffer.byteLength(message.body);
    if (bytes > messageBytesMax - headerBytesMax) {
      // JetStream would never take it, and everybody's events would wait behind it.
      logger.error({ event: event.id, bytes }, 'an event that is too large is not published');
      return;
    }
    await publishStored(nats, message, publishTimeoutMs);
  }
}
