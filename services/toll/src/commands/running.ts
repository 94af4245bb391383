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

/** Where the events and the read models are, as the services' environment names them. */
export const storeEnv = (): NodeJS.ProcessEnv => {
  const known = ready();
  const databaseUrl = process.env['DATABASE_URL'] ?? known?.databaseUrl;
  const kurrentdbUrl = process.env['KURRENTDB_URL'] ?? known?.kurrentdbUrl;
  if (!databaseUrl) throw notRunning('DATABASE_URL');
  return { DATABASE_URL: databaseUrl, ...(kurrentdbUrl ? { KURRENTDB_URL: kurrentdbUrl } : {}) };
};
