import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

const tryPort = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      server.close(() => {
        resolve(address !== null && typeof address === 'object' ? address.port : undefined);
      });
    });
  });

export const isPortFree = async (port: number): Promise<boolean> =>
  (await tryPort(port)) !== undefined;

/** A port of the loopback interface that was free a moment ago: who binds it must be ready to lose it. */
export const freePort = async (): Promise<number> => {
  const port = await tryPort(0);
  if (port === undefined) throw new Error(`no free port on ${HOST}`);
  return port;
};

/** The first free port from the wished one upwards, so that a second instance sits next to the first. */
export const freePortFrom = async (wished: number, attemptsMax = 50): Promise<number> => {
  for (let port = wished; port < wished + attemptsMax && port <= 65_535; port += 1) {
    if (await isPortFree(port)) return port;
  }
  return freePort();
};

const toPort = (text: string): number | undefined => {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
};

export interface PortMemory {
  readonly recall: () => Promise<number | undefined>;
  readonly remember: (port: number) => Promise<void>;
}

/** A port that outlives a restart, so that the addresses people noted down stay true. */
export const portMemory = (file: string): PortMemory => ({
  recall: async () => toPort(await readFile(file, 'utf8').catch(() => '')),
  remember: (port) => writeFile(file, `${port.toString()}\n`, { mode: 0o600 }),
});
