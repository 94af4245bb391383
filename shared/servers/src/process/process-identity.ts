import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A pid alone may be someone else's tomorrow; together with its start it names one process for ever. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

interface ProcessState {
  readonly startedAt: string;
  readonly zombie: boolean;
}

const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
};

/** The command's name is in parentheses and may hold spaces and parentheses itself: read behind the last one. */
export const parseProcStat = (stat: string): { state: string; startTicks: string } | undefined => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state && startTicks ? { state, startTicks } : undefined;
};

const stateOnLinux = (pid: number): ProcessState | undefined => {
  const parsed = parseProcStat(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'));
  if (!parsed) return undefined;
  // Ticks count from boot, so the same pid and ticks may come again after a restart of the machine.
  return { startedAt: `${bootId()}:${parsed.startTicks}`, zombie: parsed.state === 'Z' };
};

const stateByPs = (pid: number): ProcessState | undefined => {
  const args = ['-o', 'stat=,lstart=', '-p', pid.toString()];
  const output = execFileSync('ps', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [, stat, startedAt] = /^\s*(\S+)\s+(.+?)\s*$/.exec(output) ?? [];
  return stat && startedAt ? { startedAt, zombie: stat.startsWith('Z') } : undefined;
};

const stateOf = (pid: number): ProcessState | undefined => {
  try {
    return process.platform === 'linux' ? stateOnLinux(pid) : stateByPs(pid);
  } catch {
    return undefined;
  }
};

/** Undefined when no such process runs; one that is dead but not yet reaped does not run. */
export const identifyProcess = (pid: number): ProcessIdentity | undefined => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const state = stateOf(pid);
  return state && !state.zombie ? { pid, startedAt: state.startedAt } : undefined;
};

export const isRunning = (identity: ProcessIdentity): boolean =>
  identifyProcess(identity.pid)?.startedAt === identity.startedAt;

/** The arguments of a process joined by spaces; undefined when it does not run or may not be seen. */
export const commandLineOf = (pid: number): string | undefined => {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid.toString()}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      : execFileSync('ps', ['-o', 'command=', '-p', pid.toString()], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
};
