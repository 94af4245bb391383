import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * The name of a socket that only one process can listen on. Linux's abstract sockets vanish with their process,
 * so that nothing is left to clean up after a kill, and no pid can be mistaken.
 */
const socketOf = (dir: string): string => {
  const name = `tollkeeper-${createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32)}`;
  return process.platform === 'linux' ? `\0${name}` : `\\\\.\\pipe\\${name}`;
};

/**
 * Two gateways on one directory would end each other's calls, so the second does not start. On a platform
 * without abstract sockets a killed process leaves a file behind; there the lock is not taken.
 */
export const lockDirectory = (dir: string): Promise<() => void> => {
  if (process.platform !== 'linux' && process.platform !== 'win32') {
    return Promise.resolve(() => undefined);
  }
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause) => reject(new Error(`another gateway uses ${dir}`, { cause })));
    server.listen(socketOf(dir), () => {
      server.unref();
      resolve(() => server.close());
    });
  });
};
