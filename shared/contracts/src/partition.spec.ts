import { describe, expect, it } from 'vitest';
import { partitionCount, partitionOf } from './partition.js';

describe('the partition of an account', () => {
  // Other languages may compute it too, and instances of two versions must agree.
  it.each([
    ['', 25],
    ['a', 32],
    ['acc_1', 34],
    ['acc_2', 31],
    ['019a9d3f-7f00-7abc-8def-0123456789ab', 40],
  ])('of %j is %i', (accountId, partition) => {
    expect(partitionOf(accountId)).toBe(partition);
  });

  it.each([
    ['sequential', (n: number) => `acc_${String(n)}`],
    ['random', () => crypto.randomUUID()],
  ])('spreads %s ids evenly', (_, idOf) => {
    const counts = new Array<number>(partitionCount).fill(0);
    for (let n = 0; n < 64_000; n++) {
      const partition = partitionOf(idOf(n));
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(Math.max(...counts)).toBeLessThan(1_300);
  });
});
