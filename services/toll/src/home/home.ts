import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { isRoot } from '@tollkeeper/servers';

/** The root of the checkout: this file runs as services/toll/dist/home/home.js. */
export const projectRoot = path.resolve(import.meta.dirname, '../../../..');

/** The data directory of one installation, and where things lie in it. */
export interface Home {
  readonly directory: string;
  readonly runFile: string;
  readonly readyFile: string;
  readonly credentialsFile: string;
  readonly demoFile: string;
  readonly logs: string;
  readonly postgres: string;
  readonly nats: string;
  readonly gateway: string;
  readonly simulator: string;
  readonly ports: string;
}

export const homeAt = (directory: string): Home => ({
  directory,
  runFile: path.join(directory, 'run.json'),
  readyFile: path.join(directory, 'ready.json'),
  credentialsFile: path.join(directory, 'credentials.json'),
  demoFile: path.join(directory, 'demo.json'),
  logs: path.join(directory, 'logs'),
  postgres: path.join(directory, 'postgres'),
  nats: path.join(directory, 'nats'),
  gateway: path.join(directory, 'gateway'),
  simulator: path.join(directory, 'simulator'),
  ports: path.join(directory, 'ports'),
});

/** TOLLKEEPER_HOME, else `.tollkeeper` in the project. */
export const homeOf = (env: NodeJS.ProcessEnv = process.env): Home => {
  const given = env['TOLLKEEPER_HOME'];
  return homeAt(given ? path.resolve(given) : path.join(projectRoot, '.tollkeeper'));
};

/** Root's PostgreSQL runs as another user, who must be able to pass through, and see nothing. */
export const makeHome = async (home: Home): Promise<void> => {
  await mkdir(home.directory, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  for (const directory of [home.logs, home.gateway, home.simulator, home.ports]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
};
