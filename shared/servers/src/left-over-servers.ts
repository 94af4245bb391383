import { access } from 'node:fs/promises';

import { silent, type Log } from './log.js';
import { stopLeftOverNats } from './nats/start-nats.js';
import { locateCluster } from './postgres/cluster.js';
import { stopLeftOverPostgres } from './postgres/start-postgres.js';

export interface ServerDirectories {
  readonly nats: string;
  readonly postgres: string;
}

/** Stops what a killed supervisor left running in these data directories; without any, does nothing. */
export const stopLeftOverServers = async (
  directories: ServerDirectories,
  log: Log = silent,
): Promise<void> => {
  if (await exists(directories.nats)) await stopLeftOverNats(directories.nats, log);
  if (!(await exists(directories.postgres))) return;
  await stopLeftOverPostgres(await locateCluster(directories.postgres), log);
};

const exists = (directory: string): Promise<boolean> =>
  access(directory).then(
    () => true,
    () => false,
  );
