import { describe, expect, it } from 'vitest';
import { randomFrom, seedFor } from './seed.js';

describe('a seed', () => {
  it('gives the same numbers again', () => {
    const numbers = (): number[] => {
      const random = randomFrom(seedFor('spec', '42'));
      return Array.from({ length: 100 }, () => random.int(3, 9));
    };
    expect(numbers()).toEqual(numbers());
    expect(Math.min(...numbers())).toBe(3);
    expect(Math.max(...numbers())).toBe(9);
  });

  it('that is not a number is told', () => {
    expect(() => seedFor('spec', 'soon')).toThrow('SEED must be a whole number');
  });
});
