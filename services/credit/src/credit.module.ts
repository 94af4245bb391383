import type { INestMicroservice } from '@nestjs/common';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openEventStore } from '@tollkeeper/event-store';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, NatsTransport } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { systemClock } from './application/clock.js';
import { CreditAccounts } from './application/credit-accounts.js';
import { ExpireReservations } from './application/expire-reservations.js';
import { followPriceBook, type PriceBookReplica } from './application/price-book-replica.js';
import type { CreditConfig } from './credit.config.js';
import { CreditController } from './credit.controller.js';
import { priceBookReplica } from './credit.tokens.js';

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
  const accounts = new CreditAccounts({
    store,
    prices: replica.prices,
    clock,
    logger,
    rules: config.rules,
    reservationTtlMs: config.reservationTtlMs,
  });
  const expiry = new ExpireReservations(nats, accounts, clock, logger);

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
  expiry.start();

  return {
    stop: async () => {
      await expiry.stop();
      await app.close();
      await accounts.drained();
      await nats.drain();
      await replica.stop();
      await store.close();
    },
  };
};
