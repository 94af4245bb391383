import { rm } from 'node:fs/promises';
import path from 'node:path';

import { silent } from '../log.js';
import { clearAbandoned, makeEphemeralDirectory } from '../process/ephemeral-directory.js';
import { locateCluster, removeCluster } from './cluster.js';
import {
  startPostgres,
  stopLeftOverPostgres,
  type PostgresOptions,
  type RunningPostgres,
} from './start-postgres.js';

const KIND = 'postgres';

export interface EphemeralOptions extends Omit<PostgresOptions, 'dataDir' | 'port'> {
  /** True for a benchmark, whose figures are worth nothing without fsync. */
  readonly durable?: boolean;
}

export interface EphemeralPostgres extends RunningPostgres {
  /** After a kill: the same data and, where it is free, port. `stop` ends this one, too. */
  readonly startAgain: () => Promise<RunningPostgres>;
}

const clear = async (directory: string): Promise<void> => {
  const cluster = await locateCluster(path.join(directory, 'data'));
  await stopLeftOverPostgres(cluster, silent);
  await removeCluster(cluster);
};

/** A server for one test run: files in a temporary directory, gone after `stop`. Not crash safe by default. */
export const startEphemeralPostgres = async ({
  durable = false,
  ...options
}: EphemeralOptions = {}): Promise<EphemeralPostgres> => {
  await clearAbandoned(KIND, clear);
  const directory = await makeEphemeralDirectory(KIND);
  const remove = async (): Promise<void> => {
    await clear(directory);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const start = { ...options, dataDir: path.join(directory, 'data'), durable };
    const server = await startPostgres(start);
    return {
      ...server,
      startAgain: () => startPostgres(start),
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
