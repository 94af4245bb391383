import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@tollkeeper/testing';
import type { LedgerPlatform, PowerTarget } from '../support/ledger-platform.js';

export const faultKinds = [
  'kill',
  'pause',
  'cut',
  'half-open',
  'stall',
  'latency',
  'power-loss',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Something that goes wrong and ends again. */
export interface Fault {
  readonly kind: FaultKind;
  /** A process or a link. */
  readonly target: string;
  /** Zero for what is over at once. */
  readonly lastsMs: number;
}

/** How often each kind happens to each of its targets. */
export type FaultCounts = Readonly<Record<FaultKind, number>>;

export interface FaultChoice {
  readonly counts: FaultCounts;
  /** Beginnings of names. */
  readonly targets: readonly string[];
}

/** Processes are killed and paused; links are cut, half-open, stalled or slow; servers lose what they had not flushed. */
const targetsOf = (platform: LedgerPlatform, kind: FaultKind): readonly string[] => {
  switch (kind) {
    case 'kill': {
      const node = process.env['KURRENTDB_RESTART_COMMAND'];
      const isForeign = !platform.processes.has('kurrentdb') && platform.kurrentdbUrl !== undefined;
      const hasNode = isForeign && node !== undefined;
      return [...platform.processes.keys(), ...(hasNode ? ['kurrentdb'] : [])].filter(isFaulty);
    }
    case 'pause':
      return [...platform.processes.keys()].filter(isFaulty);
    case 'power-loss':
      return platform.losePower
        ? [
            ...['postgres', 'kurrentdb', 'nats'].filter((name) => platform.processes.has(name)),
            'machine',
          ]
        : [];
    default:
      return [...platform.links.keys()];
  }
};

/** The price book is another service's matter. */
const isFaulty = (name: string): boolean => name !== 'pricing';

/** Every kind, as often as it is wanted, to each of its targets; in any order. */
export const planFaults = (
  platform: LedgerPlatform,
  random: Random,
  { counts, targets }: FaultChoice,
): Fault[] => {
  const plan = faultKinds.flatMap((kind) =>
    targetsOf(platform, kind)
      .filter((target) => targets.some((wanted) => target.startsWith(wanted)))
      .flatMap((target) => Array.from({ length: counts[kind] }, () => ({ kind, target }))),
  );
  if (plan.length === 0) throw new Error('no target can have such a fault');
  return shuffled(plan, random).map((fault) => ({
    ...fault,
    lastsMs: lastsMs(fault.kind, random),
  }));
};

const shuffled = <T>(some: readonly T[], random: Random): T[] =>
  some
    .map((each) => ({ each, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);

/** From a tenth of a second to fifteen, the short ones as likely as the long ones. */
const lastsMs = (kind: FaultKind, random: Random): number => {
  if (kind === 'kill' || kind === 'cut' || kind === 'power-loss') return 0;
  return Math.round(100 * 150 ** random.next());
};

/** Resolves when the fault is over; what it has broken may take longer. The moment from which that is counted. */
export const inflict = async (
  platform: LedgerPlatform,
  { kind, target, lastsMs: ms }: Fault,
  random: Random,
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
    case 'stall':
      link?.stall();
      await sleep(ms);
      link?.heal();
      break;
    case 'power-loss':
      await platform.losePower?.(target as PowerTarget, random);
      break;
    case 'latency':
      link?.delay(Math.min(500, ms));
      await sleep(ms);
      link?.heal();
      break;
  }
  return performance.now();
};
