/** `SEED` of the environment, else a new one; printed, so that a failure can be replayed. */
export const seedFor = (what: string, given = process.env['SEED']): number => {
  const seed = given === undefined || given === '' ? newSeed() : Number(given);
  if (!Number.isSafeInteger(seed))
    throw new Error(`SEED must be a whole number, not ${given ?? ''}`);
  process.stderr.write(`${what}: SEED=${String(seed)}\n`);
  return seed;
};

const newSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;

/** The same numbers for the same seed. */
export interface Random {
  /** From 0, below 1. */
  readonly next: () => number;
  /** A whole number from `min` to `max`, both included. */
  readonly int: (min: number, max: number) => number;
  readonly pick: <T>(some: readonly T[]) => T;
}

/** Mulberry32: small, fast, good enough to choose faults by. */
export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(some: readonly T[]): T => {
    const one = some[int(0, some.length - 1)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  };
  return { next, int, pick };
};
