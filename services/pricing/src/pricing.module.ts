import { Module, type DynamicModule, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, NatsTransport } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import { PriceBookReplica } from './application/price-book-replica.js';
import { seedPriceBook } from './application/seed-price-book.js';
import { seedStreams } from './domain/price-book/seed-streams.js';
import type { PricingConfig } from './pricing.config.js';
import { PricingController } from './pricing.controller.js';
import { vendorPrices } from './seed/vendor-prices.js';

@Module({})
class PricingModule {
  static with(replica: PriceBookReplica): DynamicModule {
    return {
      module: PricingModule,
      controllers: [PricingController],
      providers: [{ provide: PriceBookReplica, useValue: replica }],
    };
  }
}

/** Begins what the price book lacks of its seed, and waits until the replica holds all of it. */
const seed = async (
  store: EventStore,
  replica: PriceBookReplica,
  logger: Logger,
): Promise<void> => {
  const streams = seedStreams(vendorPrices());
  const missing = streams.filter(({ stream }) => !replica.has(stream));
  const begun = await seedPriceBook(store, missing, new Date());
  await replica.holds(streams.map(({ stream }) => stream));
  logger.info({ streams: streams.length, begun }, 'the price book is seeded');
};

/** The composition root: the only place that names adapters. */
export const startPricing = async (
  config: PricingConfig,
  logger: Logger,
): Promise<RunningService> => {
  const store = await openEventStore({
    databaseUrl: config.databaseUrl,
    kurrentdbUrl: config.kurrentdbUrl,
    applicationName: 'pricing',
    onError: (error) => logger.warn({ err: error }, 'event store'),
  });
  const replica = new PriceBookReplica(store, (error) => {
    // An event that this version cannot read would mean wrong prices: better no service than that.
    logger.fatal({ err: error }, 'the price book cannot be followed');
    process.exit(1);
  });
  await replica.caughtUp;
  await seed(store, replica, logger);

  const nats = await connectNats({ url: config.natsUrl, name: 'pricing' });
  const app: INestMicroservice = await NestFactory.createMicroservice(PricingModule.with(replica), {
    strategy: new NatsTransport({
      nats,
      queue: 'pricing',
      onError: (error, subject) => logger.error({ err: error, subject }, 'a message failed'),
    }),
    logger: ['error', 'warn'],
  });
  await app.listen();

  return {
    stop: async () => {
      await app.close();
      await nats.drain();
      await replica.stop();
      await store.close();
    },
  };
};
