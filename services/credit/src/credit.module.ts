import type { INestMicroservice } from '@nestjs/common';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openEventStore } from '@tollkeeper/event-store';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, NatsTransport } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { systemClock } from './application/clock.js';
import { KvLeaseStore } from './adapters/kv-lease-store.js';
import { CreditAccounts, defaultQueueLimits } from './application/credit-accounts.js';
import { LeaseKeeper } from './application/ownership/lease-keeper.js';
import { ExpireReservations } from './application/expire-reservations.js';
import { followPriceBook, type PriceBookReplica } from './application/price-book-replica.js';
import type { CreditConfig } from './credit.config.js';
import { CreditController } from './credit.controller.js';
import { priceBookReplica } from './credit.tokens.js';
import { PartitionRouter } from './routing/partition-router.js';

@Module({})
class CreditModule {
  static with(
    accounts: CreditAccounts,
    replica: PriceBookReplica,
    router: PartitionRouter,
  ): DynamicModule {
    return {
      module: CreditModule,
      controllers: [CreditController],
      providers: [
        { provide: CreditAccounts, useValue: accounts },
        { provide: priceBookReplica, useValue: replica },
        { provide: PartitionRouter, useValue: router },
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
  const accounts: CreditAccounts = new CreditAccounts(
    {
      store,
      prices: replica.prices,
      clock,
      logger,
      rules: config.rules,
      reservationTtlMs: config.reservationTtlMs,
    },
    defaultQueueLimits,
    keeper,
  );
  const router = new PartitionRouter(nats, keeper);
  const expiry = new ExpireReservations(nats, accounts, clock, logger);

  const app: INestMicroservice = await NestFactory.createMicroservice(
    CreditModule.with(accounts, replica, router),
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
  expiry.start();

  return {
    stop: async () => {
      await expiry.stop();
      await keeper.leave(handedOverWithinMs);
      await app.close();
      await router.idle();
      await accounts.drained();
      await keeper.stop();
      await nats.drain();
      await replica.stop();
      await store.close();
    },
  };
};
