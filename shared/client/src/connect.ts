import { Asker } from './asker.js';
import { settingsOf, type ConnectOptions } from './connect-options.js';
import { NatsClient } from './nats-client.js';
import { openNatsLink } from './nats-link.js';
import type { TollkeeperClient } from './tollkeeper-client.js';

/**
 * Connects, and stays connected through restarts of the NATS server until it is closed.
 *
 * @throws TollkeeperUnavailableError where no server answers in time, NotPermittedError where it
 * refuses the credentials
 */
export const connectTollkeeper = async (options: ConnectOptions): Promise<TollkeeperClient> => {
  const settings = settingsOf(options);
  const link = await openNatsLink(options, settings);
  return new NatsClient(new Asker(link, settings), link);
};
