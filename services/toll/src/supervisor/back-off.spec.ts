import { describe, expect, it } from 'vitest';

import { backOffMs } from './back-off.js';

describe('the back-off', () => {
  it('doubles from 0.2 s to 10 s with every death in a row', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(backOffMs);
    expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
  });
});
