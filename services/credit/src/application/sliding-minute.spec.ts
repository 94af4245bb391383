import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingMinute } from './sliding-minute.js';

const startMs = Date.UTC(2026, 2, 1, 12, 0, 0);

describe('a sliding minute', () => {
  it('forgets what is more than a minute old, and nothing younger', () => {
    const minute = new SlidingMinute();
    minute.add(startMs + 999, 3);
    expect(minute.used(startMs + 60_999)).toBe(3);
    expect(minute.used(startMs + 61_000)).toBe(0);
  });

  it('says when there is room again, no sooner and no later', () => {
    const minute = new SlidingMinute();
    minute.add(startMs, 2);
    minute.add(startMs + 10_000, 3);
    expect(minute.waitMs(startMs + 20_000, 5, 10)).toBe(0);
    expect(minute.waitMs(startMs + 20_000, 6, 10)).toBe(41_000);
    expect(minute.waitMs(startMs + 20_000, 7, 10)).toBe(41_000);
    expect(minute.waitMs(startMs + 20_000, 8, 10)).toBe(51_000);
    expect(minute.waitMs(startMs + 61_000, 7, 10)).toBe(0);
  });

  it('counts time that went back in its youngest second', () => {
    const minute = new SlidingMinute();
    minute.add(startMs, 1);
    minute.add(startMs - 30_000, 1);
    expect(minute.used(startMs + 60_999)).toBe(2);
    expect(minute.used(startMs + 61_000)).toBe(0);
  });

  it('begins anew when time has gone back further than it counts', () => {
    const minute = new SlidingMinute();
    minute.add(startMs + 3_600_000, 5);
    expect(minute.waitMs(startMs, 1, 5)).toBe(0);
    minute.add(startMs, 5);
    expect(minute.used(startMs + 61_000)).toBe(0);
  });

  it('is empty after a long pause', () => {
    const minute = new SlidingMinute();
    minute.add(startMs, 5);
    expect(minute.used(startMs + 86_400_000)).toBe(0);
    minute.add(startMs + 86_400_000, 1);
    expect(minute.used(startMs + 86_400_000)).toBe(1);
  });

  it('never lets more than the amount through in any minute, and who waits as told gets through', () => {
    const ask = fc.record({
      pauseMs: fc.integer({ min: 0, max: 9_000 }),
      needed: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 80 }), (asks) => {
        const minute = new SlidingMinute();
        const through: { atMs: number; needed: number }[] = [];
        let nowMs = startMs;
        for (const { pauseMs, needed } of asks) {
          nowMs += pauseMs;
          const waitMs = minute.waitMs(nowMs, needed, 10);
          if (waitMs > 0) {
            expect(waitMs).toBeLessThanOrEqual(61_000);
            expect(minute.waitMs(nowMs, needed, 10)).toBe(waitMs);
            if (needed % 2 === 0) continue;
            nowMs += waitMs;
            expect(minute.waitMs(nowMs, needed, 10)).toBe(0);
          }
          minute.add(nowMs, needed);
          through.push({ atMs: nowMs, needed });
        }
        for (const { atMs } of through) {
          const inMinute = through.filter((each) => each.atMs > atMs - 60_000 && each.atMs <= atMs);
          expect(inMinute.reduce((sum, each) => sum + each.needed, 0)).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 500 },
    );
  });
});
