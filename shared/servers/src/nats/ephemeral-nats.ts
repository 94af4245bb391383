import { rm } from 'node:fs/promises';

import { silent, type Log } from '../log.js';
import { clearAbandoned, makeEphemeralDirectory } from '../process/ephemeral-directory.js';
import { newSecret } from '../process/secret.js';
import {
  NATS_USERS,
  startNats,
  stopLeftOverNats,
  type NatsUser,
  type RunningNats,
} from './start-nats.js';

const KIND = 'nats';

/** One random password per user. */
export const newNatsPasswords = (): Record<NatsUser, string> =>
  Object.fromEntries(NATS_USERS.map((user) => [user, newSecret()])) as Record<NatsUser, string>;

/** A server for one test run, with the product's own users and permissions; its files go with `stop`. */
export const startEphemeralNats = async ({
  log = silent,
}: { log?: Log } = {}): Promise<RunningNats> => {
  await clearAbandoned(KIND, (directory) => stopLeftOverNats(directory, silent));
  const dataDir = await makeEphemeralDirectory(KIND);
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const server = await startNats({ dataDir, users: newNatsPasswords(), log });
    return {
      ...server,
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
