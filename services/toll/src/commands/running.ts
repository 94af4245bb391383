import { CommandError } from '../command-error.js';
import { homeOf } from '../home/home.js';
import { readReadyFile, type Ready } from '../home/ready-file.js';
import { Operator } from '../operator.js';

const notRunning = (missing: string): CommandError =>
  new CommandError(
    'not-running',
    `Tollkeeper is not running here: start it with \`npm start\`, or set ${missing}`,
  );

const ready = (): Ready | undefined => readReadyFile(homeOf().readyFile);

/** Does the work as the operator of the running installation, or of the one that NATS_URL names. */
export const asOperator = async <T>(work: (operator: Operator) => Promise<T>): Promise<T> => {
  const url = process.env['NATS_URL'] ?? ready()?.natsUrl;
  if (!url) throw notRunning('NATS_URL');
  const operator = await Operator.connect(url);
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
};

/**
 * The same with an admin's key, which says who acts and what they may do. It comes from the environment: an argument
 * would show in the list of processes.
 */
export const asAdmin = async <T>(work: (operator: Operator) => Promise<T>): Promise<T> => {
  const adminKey = process.env['TOLL_ADMIN_KEY']?.trim();
  if (!adminKey) {
    const message = 'set TOLL_ADMIN_KEY to an admin key; `toll admin issue-key` makes one';
    throw new CommandError('no-admin-key', message);
  }
  return asOperator((operator) => work(operator.withAdminKey(adminKey)));
};

/** Where the events and the read models are, as the services' environment names them. */
export const storeEnv = (): NodeJS.ProcessEnv => {
  const known = ready();
  const databaseUrl = process.env['DATABASE_URL'] ?? known?.databaseUrl;
  const kurrentdbUrl = process.env['KURRENTDB_URL'] ?? known?.kurrentdbUrl;
  if (!databaseUrl) throw notRunning('DATABASE_URL');
  return { DATABASE_URL: databaseUrl, ...(kurrentdbUrl ? { KURRENTDB_URL: kurrentdbUrl } : {}) };
};
