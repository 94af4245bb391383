import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import type { Random } from '@tollkeeper/testing';
import type { LedgerPlatform } from '../support/ledger-platform.js';

export const faultKinds = ['kill', 'pause', 'cut', 'half-open', 'latency'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Something that goes wrong and ends again. */
export interface Fault {
  readonly kind: FaultKind;
  /** A process or a link. */
  readonly target: string;
  /** Zero for what is over at once. */
  readonly lastsMs: number;
}

export interface FaultChoice {
  readonly kinds: readonly FaultKind[];
  readonly targets: readonly string[];
}

/** Processes are killed and paused; links are cut, made half-open or slow; the node of the event store is killed. */
export const targetsOf = (platform: LedgerPlatform, kind: FaultKind): string[] => {
  if (kind === 'kill') {
    const node = process.env['KURRENTDB_RESTART_COMMAND'];
    const hasNode = platform.kurrentdbUrl !== undefined && node !== undefined;
    return [...platform.processes.keys(), ...(hasNode ? ['kurrentdb'] : [])].filter(isFaulty);
  }
  return kind === 'pause'
    ? [...platform.processes.keys()].filter(isFaulty)
    : [...platform.links.keys()];
};

/** The price book is another service's matter. */
const isFaulty = (name: string): boolean => name !== 'pricing';

export const chooseFault = (
  platform: LedgerPlatform,
  random: Random,
  { kinds, targets }: FaultChoice,
): Fault => {
  const some = kinds.flatMap((kind) =>
    targetsOf(platform, kind)
      .filter((target) => targets.some((wanted) => target.startsWith(wanted)))
      .map((target) => ({ kind, target })),
  );
  if (some.length === 0) throw new Error('no target can have such a fault');
  const { kind, target } = random.pick(some);
  return { kind, target, lastsMs: lastsMs(kind, random) };
};

/** From a tenth of a second to fifteen, the short ones as likely as the long ones. */
const lastsMs = (kind: FaultKind, random: Random): number => {
  if (kind === 'kill' || kind === 'cut') return 0;
  return Math.round(100 * 150 ** random.next());
};

/** Resolves when the fault is over; what it has broken may take longer. The moment from which that is counted. */
export const inflict = async (
  platform: LedgerPlatform,
  { kind, target, lastsMs: ms }: Fault,
): Promise<number> => {
  const link = platform.links.get(target);
  const kept = platform.processes.get(target);
  const startedAt = performance.now();
  switch (kind) {
    case 'kill':
      if (kept) kept.signal('SIGKILL');
      else await promisify(exec)(process.env['KURRENTDB_RESTART_COMMAND'] ?? 'false');
      return startedAt;
    case 'pause':
      kept?.signal('SIGSTOP');
      await sleep(ms);
      kept?.signal('SIGCONT');
      break;
    case 'cut':
      link?.cut();
      return startedAt;
    case 'half-open':
      link?.loseReplies();
      await sleep(ms);
      link?.heal();
      break;
    case 'latency':
      link?.delay(Math.min(500, ms));
      await sleep(ms);
      link?.heal();
      break;
  }
  return performance.now();
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
