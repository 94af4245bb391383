import { describe, expect, it } from 'vitest';
import { isTimeZone } from './local-date.js';

describe('a time zone', () => {
  it.each(['UTC', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
    'may be %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  it.each(['', 'Mars/Olympus', '+05:37', '-05:00', '+0530', '+05'])(
    'is never %j, by whatever engine',
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
});
