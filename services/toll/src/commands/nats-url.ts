import { CommandError } from '../command-error.js';
import { readNatsPasswords } from '../home/credentials.js';
import type { Home } from '../home/home.js';
import { readReadyFile } from '../home/ready-file.js';

/** For whom a URL is given out: the services' own are their own. */
const users = ['platform', 'operator'] as const;

/** The URL of the running NATS server with a user's credentials, for other services of the platform. */
export const natsUrlFor = (home: Home, name: string): string => {
  const user = users.find((each) => each === name);
  if (!user) {
    throw new CommandError('unknown-user', `"${name}" is none of ${users.join(', ')}`);
  }
  const running = readReadyFile(home.readyFile)?.natsUrl;
  if (running === undefined) {
    throw new CommandError(
      'not-running',
      'Tollkeeper is not running here: start it with `npm start`',
    );
  }
  const password = readNatsPasswords(home.credentialsFile)[user];
  if (password === undefined) {
    throw new CommandError(
      'not-ours',
      'this installation uses a NATS server of your own (NATS_URL): its users are yours too',
    );
  }
  const url = new URL(running);
  return `nats://${user}:${password}@${url.host}`;
};
