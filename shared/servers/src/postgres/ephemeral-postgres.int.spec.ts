import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

import { commandLineOf } from '../process/process-identity.js';
import { startEphemeralPostgres } from './ephemeral-postgres.js';

const DATA_DIRECTORY = /-D (\/.+?\/tollkeeper-postgres-[^/]+)\//;

const directoryOf = (pid: number): string => {
  const [, directory] = DATA_DIRECTORY.exec(commandLineOf(pid) ?? '') ?? [];
  if (directory === undefined) throw new Error('not below the temporary directory');
  return directory;
};

it('clears up what a killed test run left, and only that', { timeout: 60_000 }, async () => {
  const abandoned = await startEphemeralPostgres();
  const kept = await startEphemeralPostgres();
  const directory = directoryOf(abandoned.pid);
  const dead = JSON.stringify({ pid: process.pid, startedAt: 'another time' });
  await writeFile(path.join(directory, 'owner.json'), dead);

  const next = await startEphemeralPostgres();
  await abandoned.exited;
  await expect(access(directory)).rejects.toThrow('ENOENT');

  const keptDirectory = directoryOf(kept.pid);
  await access(keptDirectory);
  await Promise.all([kept.stop(), next.stop()]);
  await expect(access(keptDirectory)).rejects.toThrow('ENOENT');
});
