import { readdirSync, readFileSync } from 'node:fs';
import { identifyProcess, isRunning, waitUntil } from '@tollkeeper/servers';

/** One life of a process. */
export interface Life {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/** A process that is started again whenever it ends, until it is let go. */
export interface KeptRunning {
  readonly name: string;
  readonly pid: () => number;
  readonly lives: () => number;
  /** To the process and, where it has some, its children. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Kills the process and its children at one moment; resolves when none of them does anything any more. */
  readonly powerOff: () => Promise<void>;
  /** From now on its end is final. */
  readonly letGo: () => void;
}

const againMs = 100;

export const keepRunning = async <L extends Life>(
  name: string,
  launch: (life: number) => Promise<L>,
): Promise<KeptRunning> => {
  let current: L = await launch(1);
  let lives = 1;
  let kept = true;
  const isKept = (): boolean => kept;
  const watch = async (): Promise<void> => {
    while (isKept()) {
      await current.exited;
      while (isKept()) {
        await new Promise((resolve) => setTimeout(resolve, againMs));
        if (!isKept()) break;
        try {
          current = await launch(lives + 1);
          lives++;
          break;
        } catch (error) {
          process.stderr.write(`${name} did not start again: ${String(error)}\n`);
        }
      }
    }
  };
  void watch();
  return {
    name,
    pid: () => current.pid,
    lives: () => lives,
    signal: (signal) => {
      if (signal === 'SIGKILL') send(current.pid, signal);
      else signalTree(current.pid, signal);
    },
    powerOff: async () => {
      // One that stands still has no more children while they are counted.
      send(current.pid, 'SIGSTOP');
      const tree = treeOf(current.pid).flatMap((pid) => identifyProcess(pid) ?? []);
      for (const { pid } of tree) send(pid, 'SIGKILL');
      await waitUntil(() => !tree.some(isRunning), { timeoutMs: 30_000 });
    },
    letGo: () => {
      kept = false;
    },
  };
};

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** The process and its children. */
export const signalTree = (pid: number, signal: NodeJS.Signals): void => {
  for (const each of treeOf(pid)) send(each, signal);
};

/** PostgreSQL serves each session by a child that leaves its group, so only the parents tell. */
const treeOf = (pid: number): number[] => {
  const children: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      if (parent === String(pid)) children.push(Number(entry));
    } catch {
      // It ended while we looked.
    }
  }
  return [pid, ...children];
};
