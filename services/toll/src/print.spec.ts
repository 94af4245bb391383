import { describe, expect, it } from 'vitest';

import { printable, table } from './print.js';

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

describe('a line', () => {
  it('is text to the end, whatever was written into it', () => {
    const forged = 'agreed\n  tier:pro@9\r\u001b[2K\u009b1A\u202ecod';
    expect(printable(forged)).toBe('agreed\ufffd  tier:pro@9\ufffd\ufffd[2K\ufffd1A\ufffdcod');
    expect(printable('Größe → 日本 👩‍💻')).toBe('Größe → 日本 👩‍💻');
  });
});
