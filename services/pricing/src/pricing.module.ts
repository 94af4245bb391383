import {
  Module,
  type DynamicModule,
  type INestMicroservice,
  type ValueProvider,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { openEventStore, type EventStore } from '@tollkeeper/event-store';
import type { RunningService } from '@tollkeeper/lifecycle';
import { connectNats, NatsTransport, type NatsConnection } from '@tollkeeper/messaging';
import { priceFault } from '@tollkeeper/price-table/sanity-gate';
import type { Logger } from '@tollkeeper/telemetry';
import { identityKeys } from './adapters/identity-keys.js';
import { creditReratings, projectionCalls } from './adapters/ledger-calls.js';
import { projectionIndex } from './adapters/projection-index.js';
import { AdminDesk } from './admin/admin-desk.js';
import { AlertsController } from './admin/alerts.controller.js';
import { ConfigsController } from './admin/configs.controller.js';
import { SettingsController } from './admin/settings.controller.js';
import { SimulationsController } from './admin/simulations.controller.js';
import { VendorPricesController } from './admin/vendor-prices.controller.js';
import { Admins } from './application/admins.js';
import { BookPolicy } from './application/book-policy.js';
import { BookWriter } from './application/book-writer.js';
import { PriceImports } from './application/import-prices.js';
import { PriceBookCommands } from './application/price-book-commands.js';
import { PriceBookReplica } from './application/price-book-replica.js';
import { Reratings } from './application/reratings.js';
import { seedPriceBook } from './application/seed-price-book.js';
import { Simulations } from './application/simulations.js';
import { findStoredCharge } from './application/stored-charge.js';
import { seedStreams } from './domain/price-book/seed-streams.js';
import type { PricingConfig } from './pricing.config.js';
import { PricingController } from './pricing.controller.js';
import { QuotesController, storedCharges, type FindStoredCharge } from './quotes.controller.js';
import { vendorPrices } from './seed/vendor-prices.js';

@Module({})
class PricingModule {
  static with(providers: readonly ValueProvider[]): DynamicModule {
    return {
      module: PricingModule,
      controllers: [
        PricingController,
        QuotesController,
        ConfigsController,
        VendorPricesController,
        AlertsController,
        SettingsController,
        SimulationsController,
      ],
      providers: [...providers],
    };
  }
}

const providersOf = (
  store: EventStore,
  replica: PriceBookReplica,
  nats: NatsConnection,
  priceLeadMs: number,
): ValueProvider[] => {
  const writer = new BookWriter(store, replica);
  const policy = new BookPolicy(replica, priceLeadMs, priceFault);
  const index = projectionIndex(nats);
  const calls = projectionCalls(nats);
  const find: FindStoredCharge = (accountId, reservationId) =>
    findStoredCharge(index, store, accountId, reservationId);
  return [
    { provide: PriceBookReplica, useValue: replica },
    { provide: AdminDesk, useValue: new AdminDesk(new Admins(identityKeys(nats))) },
    { provide: PriceBookCommands, useValue: new PriceBookCommands(writer, policy, replica) },
    { provide: PriceImports, useValue: new PriceImports(writer, policy, replica) },
    { provide: BookPolicy, useValue: policy },
    { provide: Simulations, useValue: new Simulations(calls, replica.prices) },
    {
      provide: Reratings,
      useValue: new Reratings(calls, creditReratings(nats), replica.prices),
    },
    { provide: storedCharges, useValue: find },
  ];
};

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
  const app: INestMicroservice = await NestFactory.createMicroservice(
    PricingModule.with(providersOf(store, replica, nats, config.priceLeadMs)),
    {
      strategy: new NatsTransport({
        nats,
        queue: 'pricing',
        onError: (error, subject) => logger.error({ err: error, subject }, 'a message failed'),
      }),
      logger: ['error', 'warn'],
    },
  );
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
