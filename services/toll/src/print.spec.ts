import { describe, expect, it } from 'vitest';

import { table } from './print.js';

describe('a table', () => {
  it('has columns as wide as their longest cell, and no blanks at the ends of lines', () => {
    const rows = [
      ['tier:pro@1', '1.5', ''],
      ['default@12', '1', 'long'],
    ];
    expect(table(['id', 'multiplier', 'why'], rows)).toEqual([
      '  id          multiplier  why',
      '  tier:pro@1  1.5',
      '  default@12  1           long',
    ]);
  });

  it('says so where there is nothing', () => {
    expect(table(['id'], [])).toEqual(['none']);
  });
});
