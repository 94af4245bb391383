import type { INestMicroservice } from '@nestjs/common';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openEventStore } from '@tollkeeper/event-store';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, NatsTransport } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { kvSnapshots } from './adapters/kv-snapshots.js';
import { projectionIndex } from './adapters/projection-index.js';
import { CarryOutDue, dueListOf } from './application/carry-out-due.js';
import { systemClock } from './application/clock.js';
import { CreditAccounts } from './application/credit-accounts.js';
import { followPriceBook, type PriceBookReplica } from './application/price-book-replica.js';
import { IndexedRecall } from './application/recall.js';
import { SnapshotWriter } from './application/snapshot-writer.js';
import type { CreditConfig } from './credit.config.js';
import { CreditController } from './credit.controller.js';
import { priceBookReplica } from './credit.tokens.js';
import { defaultForgetting } from './domain/credit-account/memory.js';

/** For the last snapshots when the service stops: they are a convenience. */
const lastSnapshotsMs = 2_000;

@Module({})
class CreditModule {
  static with(accounts: CreditAccounts, replica: PriceBookReplica): DynamicModule {
    return {
      module: CreditModule,
      controllers: [CreditController],
      providers: [
        { provide: CreditAccounts, useValue: accounts },
        { provide: priceBookReplica, useValue: replica },
      ],
    };
  }
}

/** The composition root: the only place that names adapters. */
export const startCredit = async (
  config: CreditConfig,
  logger: Logger,
): Promise<RunningService> => {
  const store = await openEventStore({
    databaseUrl: config.databaseUrl,
    kurrentdbUrl: config.kurrentdbUrl,
    applicationName: 'credit',
    onError: (error) => logger.warn({ err: error }, 'event store'),
  });
  const replica = followPriceBook(store, logger, () => process.exit(1));
  await replica.caughtUp;

  const nats = await connectNats({ url: config.natsUrl, name: 'credit' });
  const clock = systemClock();
  const snapshots = new SnapshotWriter(kvSnapshots(nats), logger);
  const accounts = new CreditAccounts({
    store,
    prices: replica.prices,
    clock,
    logger,
    rules: config.rules,
    reservationTtlMs: config.reservationTtlMs,
    remembering: {
      rule: defaultForgetting,
      recall: new IndexedRecall({ index: projectionIndex(nats), store, logger }),
      snapshots,
    },
  });
  const dueWork = new CarryOutDue(dueListOf(nats), accounts, clock, logger);

  const app: INestMicroservice = await NestFactory.createMicroservice(
    CreditModule.with(accounts, replica),
    {
      strategy: new NatsTransport({
        nats,
        queue: 'credit',
        onError: (error, subject) => logger.error({ err: error, subject }, 'a message failed'),
      }),
      logger: ['error', 'warn'],
    },
  );
  await app.listen();
  dueWork.start();

  return {
    stop: async () => {
      await dueWork.stop();
      await app.close();
      await accounts.drained();
      accounts.offerSnapshots();
      await snapshots.flushed(lastSnapshotsMs);
      await nats.drain();
      await replica.stop();
      await store.close();
    },
  };
};
