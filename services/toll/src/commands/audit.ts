import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import path from 'node:path';

import { CommandError } from '../command-error.js';
import { projectRoot } from '../home/home.js';
import { storeEnv } from './running.js';

/** The projection service's own program for rebuild and proof; its output and exit code are ours. */
export const runAudit = async (args: readonly string[]): Promise<number> => {
  const entry = path.join(projectRoot, 'services', 'projection', 'dist', 'audit.main.js');
  await access(entry).catch(() => {
    throw new CommandError('not-built', `${entry} is missing: run \`npm run build\``);
  });
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...args], {
    env: { ...process.env, ...storeEnv() },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
};
