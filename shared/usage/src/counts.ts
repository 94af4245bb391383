import type { UsagePools } from '@tollkeeper/events';

/** The most that one pool of a call can hold. */
const tokensMax = 1_000_000_000;

export type Fields = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const fieldsOf = (value: unknown): Fields => (isRecord(value) ? value : {});

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= tokensMax;

/** A field that a vendor leaves out, or sets to null, where there is nothing to count. */
export const isAbsent = (value: unknown): value is undefined | null =>
  value === undefined || value === null;

/** Takes the parts of a total, and remembers which figures could not be true. */
export class Parts {
  readonly contradictions: string[] = [];

  /** A figure that is not a count is none; one beyond what is left of its total is cut to that. */
  take(name: string, value: unknown, left: number): number {
    if (isAbsent(value)) return 0;
    if (!isCount(value)) {
      this.contradict(`${name} is not a count: ${shown(value)}`);
      return 0;
    }
    if (value > left) this.contradict(`${name} is ${String(value)}, of ${String(left)} at most`);
    return Math.min(value, left);
  }

  contradict(sentence: string): void {
    this.contradictions.push(sentence);
  }
}

export const shown = (value: unknown): string =>
  value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);

/** Without the empty ones. */
export const poolsOf = (counts: UsagePools): UsagePools => {
  const pools: Record<string, number> = {};
  for (const [meter, count] of Object.entries(counts)) if (count > 0) pools[meter] = count;
  return pools;
};
