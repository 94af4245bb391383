const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/** After this long without dying, the next death counts as the first. */
export const HEALTHY_MS = 30_000;

/** How long to wait before the next start, after this many deaths in a row: 0.2 s, doubling to 10 s. */
export const backOffMs = (deathsInARow: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, deathsInARow - 1));
