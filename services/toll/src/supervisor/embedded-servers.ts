import {
  startNats,
  startPostgres,
  type Log,
  type NatsUser,
  type RunningNats,
  type RunningPostgres,
} from '@tollkeeper/servers';

import { loadNatsPasswords } from '../home/credentials.js';
import type { Home } from '../home/home.js';
import { Supervised, type Instance, type KeptRunning } from './supervised.js';

/** Where the servers are at this moment: ours, or those that the environment names. */
export interface ServerAddresses {
  readonly databaseUrl: () => string;
  readonly natsUrl: (user: NatsUser) => string;
}

export interface EmbeddedServers {
  readonly addresses: ServerAddresses;
  /** What we run ourselves, in the order of starting. */
  readonly supervised: readonly KeptRunning[];
}

export interface EmbeddedOptions {
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly onStarted: (name: string, instance: Instance) => void;
  /** A restarted server could not have its old port again: everybody must be told the new address. */
  readonly onMoved: () => void;
}

export const embeddedServers = (options: EmbeddedOptions): EmbeddedServers => {
  const database = databaseOf(options);
  const nats = natsOf(options);
  return {
    addresses: { databaseUrl: database.url, natsUrl: nats.url },
    supervised: [database.server, nats.server].filter((server) => server !== undefined),
  };
};

const databaseOf = (options: EmbeddedOptions) => {
  const given = options.env['DATABASE_URL'];
  if (given) return { url: () => given, server: undefined };
  const { home, log } = options;
  const launch = () => startPostgres({ dataDir: home.postgres, log });
  const server = new Supervised<RunningPostgres>({
    ...watched('postgres', options, (instance: RunningPostgres) => instance.url),
    launch,
  });
  return { url: () => current(server).url, server };
};

const natsOf = (options: EmbeddedOptions) => {
  const given = options.env['NATS_URL'];
  if (given) return { url: () => given, server: undefined };
  const { home, log } = options;
  const users = loadNatsPasswords(home.credentialsFile);
  const launch = () => startNats({ dataDir: home.nats, users, log });
  const server = new Supervised<RunningNats>({
    ...watched('nats', options, (instance: RunningNats) => instance.url('operator')),
    launch,
  });
  return { url: (user: NatsUser) => current(server).url(user), server };
};

const current = <I extends Instance>(server: Supervised<I>): I => {
  if (!server.current) throw new Error(`${server.name} has not been started`);
  return server.current;
};

/** Both servers report their lives, and a changed address, in the same way. */
const watched = <I extends Instance>(
  name: string,
  { log, onStarted, onMoved }: EmbeddedOptions,
  addressOf: (instance: I) => string,
) => {
  let address: string | undefined;
  return {
    name,
    log,
    // A server that fails to start says why at once; trying again would only hide it.
    firstAttemptsMax: 1,
    onStarted: (instance: I): void => {
      const moved = address !== undefined && address !== addressOf(instance);
      address = addressOf(instance);
      onStarted(name, instance);
      if (moved) onMoved();
    },
  };
};
