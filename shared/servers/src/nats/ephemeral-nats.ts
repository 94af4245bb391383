import { rm } from 'node:fs/promises';

import { silent, type Log } from '../log.js';
import { clearAbandoned, makeEphemeralDirectory } from '../process/ephemeral-directory.js';
import { newSecret } from '../process/secret.js';
import {
  NATS_USERS,
  startNats,
  stopLeftOverNats,
  storeDirIn,
  type NatsOptions,
  type NatsUser,
  type RunningNats,
} from './start-nats.js';

const KIND = 'nats';

/** One random password per user. */
export const newNatsPasswords = (): Record<NatsUser, string> =>
  Object.fromEntries(NATS_USERS.map((user) => [user, newSecret()])) as Record<NatsUser, string>;

export interface EphemeralNats extends RunningNats {
  /** JetStream's files. */
  readonly storeDir: string;
  /**
   * After a kill, or instead of the one that runs: the same data and, where it is free, port, and the same passwords
   * unless others are given. `stop` ends this one, too.
   */
  readonly startAgain: (users?: NatsOptions['users']) => Promise<RunningNats>;
}

/** A server for one test run, with the product's own users and permissions; its files go with `stop`. */
export const startEphemeralNats = async ({
  log = silent,
}: { log?: Log } = {}): Promise<EphemeralNats> => {
  await clearAbandoned(KIND, (directory) => stopLeftOverNats(directory, silent));
  const dataDir = await makeEphemeralDirectory(KIND);
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const start = { dataDir, users: newNatsPasswords(), log };
    const server = await startNats(start);
    return {
      ...server,
      storeDir: storeDirIn(dataDir),
      startAgain: (users = start.users) => startNats({ ...start, users }),
      stop: async () => {
        await server.stop();
        await stopLeftOverNats(dataDir, silent);
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
};
