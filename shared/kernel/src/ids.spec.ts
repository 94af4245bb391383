import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { uuidPattern, uuidv7, uuidv7TimeMs } from './ids.js';
import { isTimeZone, localDate } from './local-date.js';

describe('a UUIDv7', () => {
  it('is well formed, unique and carries its time', () => {
    const atMs = Date.parse('2026-03-01T12:00:00.123Z');
    const ids = Array.from({ length: 2_000 }, () => uuidv7(atMs));
    expect(new Set(ids).size).toBe(2_000);
    for (const id of ids) {
      expect(id).toMatch(uuidPattern);
      expect(id).toMatch(/^.{14}7.{4}[89ab]/);
      expect(uuidv7TimeMs(id)).toBe(atMs);
    }
  });

  it('sorts by age', () => {
    expect(uuidv7(1_000) < uuidv7(2_000)).toBe(true);
  });

  it('is told from other ids', () => {
    expect(uuidv7TimeMs('3b0f1a3e-6d0b-4b1a-9a53-2f1c3d4e5f60')).toBeUndefined();
    expect(uuidv7TimeMs('acc_42')).toBeUndefined();
  });
});

describe('a local day', () => {
  it.each([
    ['2026-03-01T23:30:00.000Z', 'Europe/Berlin', '2026-03-02'],
    ['2026-03-01T23:30:00.000Z', 'UTC', '2026-03-01'],
    ['2026-03-01T18:14:59.999Z', 'Asia/Kathmandu', '2026-03-01'],
    ['2026-03-01T18:15:00.000Z', 'Asia/Kathmandu', '2026-03-02'],
    ['2026-11-01T05:59:59.999Z', 'America/Chicago', '2026-11-01'],
    ['2026-10-25T22:59:59.999Z', 'Europe/Berlin', '2026-10-25'],
  ])('of %s in %s is %s', (at, zone, day) => {
    expect(localDate(new Date(at), zone)).toBe(day);
  });

  it('knows zones from other words', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('Mars/Olympus')).toBe(false);
  });
});

describe('canonical JSON', () => {
  it('is the same text for equal values, whatever the order of their fields', () => {
    expect(canonicalJson({ b: [1, 'x', null], a: { d: true, c: undefined } })).toBe(
      '{"a":{"d":true},"b":[1,"x",null]}',
    );
  });
});
