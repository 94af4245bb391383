import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { openEventStore } from '@tollkeeper/event-store';
import { connectNats, NatsTransport } from '@tollkeeper/messaging';
import type { RunningService } from '@tollkeeper/lifecycle';
import type { Pool } from '@tollkeeper/postgres';
import type { Logger } from '@tollkeeper/telemetry';
import type { ServiceConfig } from './config.js';
import { migrateReadModels, openProjectorPool, openQueryPool } from './database.js';
import { ProjectionController, projectorToken, readPool } from './projection.controller.js';
import { PriceBookProjector } from './price-book/price-book-projector.js';
import { Projector } from './projector/projector.js';
import { LedgerPublisher } from './publisher/ledger-publisher.js';

const serviceName = 'projection';

@Module({})
export class ProjectionModule {
  static with(pool: Pool, projector: Projector): DynamicModule {
    return {
      module: ProjectionModule,
      controllers: [ProjectionController],
      providers: [
        { provide: readPool, useValue: pool },
        { provide: projectorToken, useValue: projector },
      ],
    };
  }
}

/** @throws ForeignStoreError when the read models belong to another event store */
export const startProjectionService = async (
  config: ServiceConfig,
  logger: Logger,
): Promise<RunningService> => {
  const onError = (err: unknown): void => {
    logger.warn({ err }, 'a connection failed; it is made again');
  };
  const pools = {
    databaseUrl: config.DATABASE_URL,
    applicationName: serviceName,
    onError,
  };
  const projectorPool = openProjectorPool(pools);
  const queryPool = openQueryPool(pools);
  await migrateReadModels(projectorPool);
  const store = await openEventStore({
    databaseUrl: config.DATABASE_URL,
    kurrentdbUrl: config.KURRENTDB_URL,
    applicationName: serviceName,
    onError,
  });
  const projector = new Projector({ store, pool: projectorPool, logger });
  await projector.start();
  const priceBook = new PriceBookProjector({ store, pool: projectorPool, logger });
  await priceBook.start();

  const nats = await connectNats({ url: config.NATS_URL, name: serviceName });
  const publisher = new LedgerPublisher({ store, pool: projectorPool, nats, logger });
  publisher.start();
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    ProjectionModule.with(queryPool, projector),
    {
      logger: ['error', 'warn'],
      strategy: new NatsTransport({
        nats,
        queue: serviceName,
        onError: (err, subject) => {
          logger.error({ err, subject }, 'a query failed');
        },
      }),
    },
  );
  await app.listen();

  return {
    stop: async () => {
      await app.close();
      await publisher.stop();
      await nats.drain();
      await projector.stop();
      await priceBook.stop();
      await store.close();
      await Promise.all([projectorPool.end(), queryPool.end()]);
    },
  };
};
