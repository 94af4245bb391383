import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { identifyProcess, isRunning, type ProcessIdentity } from '@tollkeeper/servers';

import { readJson, writeJson } from './json-file.js';

/** Who supervises this home, and what it started: what a later start needs when this one is killed. */
export interface RunState {
  readonly supervisor: ProcessIdentity;
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
  /** True once it was told to stop: soon the home is free. */
  readonly stopping: boolean;
}

export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  constructor(readonly holder: RunState) {
    super(`Tollkeeper is already running (pid ${holder.supervisor.pid.toString()})`);
  }
}

const isIdentity = (value: unknown): value is ProcessIdentity =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  typeof value.pid === 'number' &&
  'startedAt' in value &&
  typeof value.startedAt === 'string';

export const readRunFile = (file: string): RunState | undefined => {
  const value = readJson(file);
  if (typeof value !== 'object' || value === null) return undefined;
  const { supervisor, processes, stopping } = value as Partial<Record<keyof RunState, unknown>>;
  if (!isIdentity(supervisor)) return undefined;
  const entries = Object.entries(processes ?? {}).filter(
    (entry): entry is [string, ProcessIdentity] => isIdentity(entry[1]),
  );
  return { supervisor, processes: Object.fromEntries(entries), stopping: stopping === true };
};

const ATTEMPTS_MAX = 20;

/**
 * Makes this process the only supervisor of the home, and returns what a dead predecessor left.
 * @throws AlreadyRunningError while another one lives.
 */
export const takeRunFile = (file: string): { own: RunState; previous: RunState | undefined } => {
  const supervisor = identifyProcess(process.pid);
  if (!supervisor) throw new Error('this process cannot be identified');
  const own: RunState = { supervisor, processes: {}, stopping: false };
  let previous: RunState | undefined;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (linkNew(file, own)) return { own, previous };
    previous = setAsideStale(file) ?? previous;
  }
  throw new Error(`${file} is fought over; remove it when nothing is running`);
};

/** A link appears whole and fails when the name is taken: a lock that is never seen empty. */
const linkNew = (file: string, state: RunState): boolean => {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
};

const setAsideStale = (file: string): RunState | undefined => {
  const seen = readRunFile(file);
  if (seen && isRunning(seen.supervisor)) throw new AlreadyRunningError(seen);
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const moved = readRunFile(aside);
  // Another start took over between our look and our move: it gets its file back.
  if (moved && isRunning(moved.supervisor)) linkSync(aside, file);
  rmSync(aside);
  return seen;
};

/** Keeps the record of what was started; only the holder writes. */
export const runRecorder = (file: string, own: RunState) => {
  const processes = new Map<string, ProcessIdentity>(Object.entries(own.processes));
  let stopping = false;
  const write = (): void => {
    const { supervisor } = own;
    writeJson(file, { supervisor, processes: Object.fromEntries(processes), stopping });
  };
  return {
    record: (name: string, identity: ProcessIdentity): void => {
      processes.set(name, identity);
      write();
    },
    markStopping: (): void => {
      stopping = true;
      write();
    },
    release: (): void => {
      rmSync(file, { force: true });
    },
  };
};
