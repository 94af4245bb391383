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
import { systemClock, type Clock } from './application/clock.js';
import { KvLeaseStore } from './adapters/kv-lease-store.js';
import { CreditAccounts, defaultQueueLimits } from './application/credit-accounts.js';
import { LeaseKeeper } from './application/ownership/lease-keeper.js';
import { followPriceBook, type PriceBookReplica } from './application/price-book-replica.js';
import { IndexedRecall } from './application/recall.js';
import { SnapshotWriter } from './application/snapshot-writer.js';
import type { CreditConfig } from './credit.config.js';
import { CreditController } from './credit.controller.js';
import { creditLogger, priceBookReplica } from './credit.tokens.js';
import { PartitionRouter } from './routing/partition-router.js';
import { defaultForgetting } from './domain/credit-account/memory.js';

/** For the last snapshots when the service stops: they are a convenience. */
const lastSnapshotsMs = 2_000;

@Module({})
class CreditModule {
  static with(
    accounts: CreditAccounts,
    replica: PriceBookReplica,
    router: PartitionRouter,
    logger: Logger,
  ): DynamicModule {
    return {
      module: CreditModule,
      controllers: [CreditController],
      providers: [
        { provide: CreditAccounts, useValue: accounts },
        { provide: priceBookReplica, useValue: replica },
        { provide: PartitionRouter, useValue: router },
        { provide: creditLogger, useValue: logger },
      ],
    };
  }
}

/** An account whose append does not return stays here. */
const drainedWithinMs = 2_000;
const handedOverWithinMs = 10_000;

/** The composition root: the only place that names adapters. */
export const startCredit = async (
  config: CreditConfig,
  logger: Logger,
  clock: Clock = systemClock(),
): Promise<RunningService> => {
  const store = await openEventStore({
    databaseUrl: config.databaseUrl,
    kurrentdbUrl: config.kurrentdbUrl,
    applicationName: 'credit',
    onError: (error) => logger.warn({ err: error }, 'event store'),
    onMerging: (merging) => logger.info({ merging }, 'appends to the event store'),
  });
  const replica = followPriceBook(store, logger, () => process.exit(1));
  await replica.caughtUp;

  const nats = await connectNats({ url: config.natsUrl, name: 'credit' });
  const keeper: LeaseKeeper = new LeaseKeeper({
    instance: config.instanceId,
    store: new KvLeaseStore(nats, config.leaseReplicas),
    logger,
    nowMs: () => performance.now(),
    times: config.leaseTimes,
    drain: (partitions) => accounts.drainedOf(partitions, drainedWithinMs),
    onChanged: (partitions) => accounts.forget(partitions),
    onSuperseded: () => process.exit(1),
  });
  const snapshots = new SnapshotWriter(kvSnapshots(nats), logger);
  const accounts: CreditAccounts = new CreditAccounts(
    {
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
    },
    defaultQueueLimits,
    keeper,
  );
  const router = new PartitionRouter(nats, keeper);
  const dueWork = new CarryOutDue(dueListOf(nats), accounts, clock, logger, config.dueEveryMs);

  const app: INestMicroservice = await NestFactory.createMicroservice(
    CreditModule.with(accounts, replica, router, logger),
    {
      strategy: new NatsTransport({
        nats,
        queue: 'credit',
        instance: router.instanceRouting,
        onError: (error, subject) => logger.error({ err: error, subject }, 'a message failed'),
      }),
      logger: ['error', 'warn'],
    },
  );
  await keeper.join();
  keeper.start();
  await app.listen();
  dueWork.start();

  return {
    stop: async () => {
      await dueWork.stop();
      await keeper.leave(handedOverWithinMs);
      await app.close();
      await router.idle();
      await accounts.drained();
      accounts.offerSnapshots();
      await snapshots.flushed(lastSnapshotsMs);
      await keeper.stop();
      await nats.drain();
      await replica.stop();
      await store.close();
    },
  };
};
