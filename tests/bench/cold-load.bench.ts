import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../support/root.js';

/** Loads of one long account from PostgreSQL, with and without its snapshot; the service's own bench, in a process of its own. */
export const benchColdLoad = async (options: readonly string[]): Promise<void> => {
  const bench = join(root, 'services/credit/dist/cold-load.bench.js');
  const child = spawn(process.execPath, [bench, ...options], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
};
