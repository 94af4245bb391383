import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { creditSubjects } from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import type { RunningService } from '@tollkeeper/lifecycle';
import {
  CommandLane,
  connectNats,
  inboxPrefixOf,
  NatsTransport,
  request,
  type NatsConnection,
} from '@tollkeeper/messaging';
import { createPool, migrate, type Pool } from '@tollkeeper/postgres';
import type { Logger } from '@tollkeeper/telemetry';
import { BalanceController } from './balance/balance.controller.js';
import { TextCounter } from './bounds/text-counter.js';
import { ChatCompletionsController } from './chat-completions/chat-completions.controller.js';
import { ChatCompletions, toInFlightCall } from './chat-completions/chat-completions.js';
import { CompletionEvents } from './completion-events/completion-events.js';
import { ensureCompletionStream } from './completion-events/completion-stream.js';
import type { GatewayConfig } from './gateway.config.js';
import { askToken, healthToken, loggerToken, type Ask } from './gateway.tokens.js';
import { HealthController, type Health } from './health/health.controller.js';
import { shapeApiRoutes } from './http/api-routes.js';
import { refuseBadUrl, RefusalFilter } from './http/refusal.filter.js';
import { AccessChanges } from './identity/access-changes.js';
import { AccountIdentity } from './identity/account-identity.js';
import { AdminKeyStore } from './identity/admin-key.store.js';
import { AdminKeysController } from './identity/admin-keys.controller.js';
import { ApiKeyStore } from './identity/api-key.store.js';
import { ApiKeys } from './identity/api-keys.js';
import { IdentityController } from './identity/identity.controller.js';
import { lockDirectory } from './in-flight/directory-lock.js';
import { InFlightJournal } from './in-flight/in-flight-journal.js';
import { Recovery } from './in-flight/recovery.js';
import { Endings } from './ledger/endings.js';
import { Ledger } from './ledger/ledger.js';
import { Catalogue } from './models/catalogue.js';
import { ModelsController } from './models/models.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { pricingControllers } from './pricing-admin/pricing-controllers.js';
import { PricingDesk } from './pricing-admin/pricing-desk.js';
import { QuoteController } from './quote/quote.controller.js';
import { OutputLimit } from './models/output-limit.js';
import { SpoolDrain } from './spool/spool-drain.js';
import { Spool } from './spool/spool.js';
import { Vendor } from './vendors/vendor.js';

interface Parts {
  readonly keys: ApiKeys;
  readonly identity: AccountIdentity;
  readonly adminKeys: AdminKeyStore;
  readonly catalogue: Catalogue;
  readonly completions: ChatCompletions;
  readonly ask: Ask;
  readonly desk: PricingDesk;
  readonly health: () => Health;
  readonly logger: Logger;
}

@Module({})
class GatewayModule {
  static with(parts: Parts): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [
        ChatCompletionsController,
        ModelsController,
        BalanceController,
        HealthController,
        IdentityController,
        AdminKeysController,
        OpenApiController,
        QuoteController,
        ...pricingControllers,
      ],
      providers: [
        { provide: ApiKeys, useValue: parts.keys },
        { provide: AccountIdentity, useValue: parts.identity },
        { provide: AdminKeyStore, useValue: parts.adminKeys },
        { provide: Catalogue, useValue: parts.catalogue },
        { provide: ChatCompletions, useValue: parts.completions },
        { provide: askToken, useValue: parts.ask },
        { provide: PricingDesk, useValue: parts.desk },
        { provide: healthToken, useValue: parts.health },
        { provide: loggerToken, useValue: parts.logger },
        { provide: APP_FILTER, useClass: RefusalFilter },
      ],
    };
  }
}

const inFlightEndsWithinMs = 15_000;
const adminReplyTimeoutMs = 5_000;
/** Ids of rules and versions hold names of models; encoded, each byte of them may take three. */
const pathPartCharsMax = 1_024;
const migrations = join(import.meta.dirname, '..', 'migrations');

/** The composition root: the only place that names adapters. */
export const startGateway = async (
  config: GatewayConfig,
  logger: Logger,
): Promise<RunningService> => {
  const onError = (cause: string): void => logger.error({ cause }, 'gateway');
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const unlock = await lockDirectory(config.dataDir);
  const pool = await openDatabase(config.databaseUrl, onError);
  const nats = await connectNats({ url: config.natsUrl, name: 'gateway' });
  const ask: Ask = (subject) => request(nats, subject, {}, { timeoutMs: 2_000 });

  const desk = deskOver(nats, onError);

  const journal = new InFlightJournal(join(config.dataDir, 'in-flight'), onError);
  const spool = await Spool.open(join(config.dataDir, 'spool'));
  await spool.probe();
  const lane = new CommandLane(nats, {
    subject: creditSubjects.batch('0'),
    inboxPrefix: inboxPrefixOf(config.natsUrl),
    beforeSend: (commands) => {
      const reserves = commands.filter(({ verb }) => verb === 'reserve');
      if (reserves.length === 0) return;
      journal.reserving(reserves.map(({ accountId, body }) => toInFlightCall(accountId, body)));
    },
  });
  const ledger = new Ledger(lane, config.reserveTimeoutMs);
  const endings = new Endings(ledger, journal, spool, logger, config.settleTimeoutMs);
  const recovery = new Recovery(journal, spool, ledger, logger);
  const drain = new SpoolDrain(spool, ledger, journal, logger);
  const events = new CompletionEvents(
    (subject, body) => nats.publish(subject, body),
    config.completionEventsPerSecondMax,
  );
  const vendors = config.vendors.map((vendor) => new Vendor(vendor, config));
  const catalogue = new Catalogue(vendors, ask);
  const outputLimit = new OutputLimit(config.defaultOutputTokens, ask);
  const access = accessTo(pool, nats, config, onError);
  const counter = new TextCounter();
  const completions = new ChatCompletions(
    { catalogue, outputLimit, counter, ledger, endings, journal, recovery, spool, events, logger },
    config,
  );
  const health = (): Health => ({
    status: spool.broken === undefined && journal.broken === undefined ? 'ok' : 'not-ready',
    inFlight: completions.inFlight,
    recovering: recovery.size,
    models: catalogue.size,
    spool: { pending: spool.size, refused: spool.refused, ...errorField(spool.broken) },
    journal: { open: journal.size, ...errorField(journal.broken) },
    completionEventsSkipped: events.skipped,
  });

  warnOfVendors(config, logger);
  const refresh = await keepFresh(catalogue, outputLimit, config.modelsRefreshMs, onError);
  void ensureCompletionStream(nats).catch((error: unknown) => onError(messageOf(error)));
  recovery.start();
  drain.start();

  const parts = { ...access, catalogue, completions, ask, desk, health, logger };
  const app = await createApp(parts, nats, config);
  await app.startAllMicroservices();
  await app.listen(config.port, config.host);

  return {
    url: (await app.getUrl()).replace('[::1]', '127.0.0.1'),
    stop: async () => {
      completions.stop();
      clearInterval(refresh);
      await closeWhenIdle(app, completions);
      await recovery.stop();
      await drain.stop();
      lane.close();
      events.flush();
      await nats.drain();
      await Promise.all(vendors.map((vendor) => vendor.close()));
      journal.close();
      await spool.close();
      await pool.end();
      unlock();
    },
  };
};

const deskOver = (nats: NatsConnection, onError: (cause: string) => void): PricingDesk =>
  new PricingDesk(
    (subject, body, headers, patienceMs = adminReplyTimeoutMs) =>
      request(nats, subject, body, { timeoutMs: patienceMs, headers }),
    onError,
  );

const openDatabase = async (url: string, onError: (cause: string) => void): Promise<Pool> => {
  const pool = createPool({
    url,
    connectionsMax: 4,
    applicationName: 'gateway',
    onError: (error) => onError(error.message),
  });
  await migrate(pool, 'identity', migrations);
  return pool;
};

/** Who may call, and what operators change about it. */
const accessTo = (
  pool: Pool,
  nats: NatsConnection,
  { apiKeyTtlMs }: GatewayConfig,
  onError: (cause: string) => void,
): Pick<Parts, 'keys' | 'identity' | 'adminKeys'> => {
  const keys = new ApiKeys(new ApiKeyStore(pool), { ttlMs: apiKeyTtlMs, onError });
  const changes = new AccessChanges(nats, keys, onError);
  const identity = new AccountIdentity(pool, (accountId) => changes.tell(accountId));
  return { keys, identity, adminKeys: new AdminKeyStore(pool) };
};

const errorField = (error: string | undefined): { error?: string } =>
  error === undefined ? {} : { error };

const warnOfVendors = (config: GatewayConfig, logger: Logger): void => {
  const names = config.vendors.map(({ name, baseUrl }) => ({ name, baseUrl }));
  if (names.length === 0) logger.warn('no vendor is configured: every model is unknown');
  else logger.info({ vendors: names }, 'vendors');
};

const createApp = async (
  parts: Parts,
  nats: NatsConnection,
  config: GatewayConfig,
): Promise<NestFastifyApplication> => {
  const adapter = new FastifyAdapter({
    logger: false,
    bodyLimit: config.bodyBytesMax,
    keepAliveTimeout: 72_000,
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
    frameworkErrors: refuseBadUrl,
    routerOptions: { maxParamLength: pathPartCharsMax },
  });
  shapeApiRoutes(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(parts), adapter, {
    logger: ['error', 'warn'],
  });
  const onError = (error: unknown, subject: string): void =>
    parts.logger.error({ err: error, subject }, 'a message failed');
  app.connectMicroservice({ strategy: new NatsTransport({ nats, queue: 'gateway', onError }) });
  return app;
};

/** Asks at once, and again quickly until pricing has answered for the first time. */
const keepFresh = async (
  catalogue: Catalogue,
  outputLimit: OutputLimit,
  everyMs: number,
  onError: (cause: string) => void,
): Promise<NodeJS.Timeout> => {
  let askedAtMs = 0;
  const refresh = async (): Promise<void> => {
    if (catalogue.size > 0 && Date.now() - askedAtMs < everyMs) return;
    askedAtMs = Date.now();
    await catalogue
      .refresh()
      .catch((error: unknown) => onError(`prices are not known: ${messageOf(error)}`));
    await outputLimit
      .refresh()
      .catch((error: unknown) => onError(`settings are not known: ${messageOf(error)}`));
  };
  await refresh();
  return setInterval(() => void refresh(), Math.min(1_000, everyMs)).unref();
};

/** Takes no connections; those that are open are closed as their calls end, all of them at the latest in time. */
const closeWhenIdle = async (
  app: NestFastifyApplication,
  completions: ChatCompletions,
): Promise<void> => {
  const server = app.getHttpServer();
  const closing = app.close();
  const deadline = Date.now() + inFlightEndsWithinMs;
  const sweep = setInterval(() => {
    if (Date.now() < deadline) server.closeIdleConnections();
    else server.closeAllConnections();
  }, 50);
  while (completions.inFlight > 0 && Date.now() < deadline) await sleep(20);
  await closing;
  clearInterval(sweep);
};
