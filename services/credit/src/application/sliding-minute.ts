const slotMs = 1_000;
/** One more than a minute has, since the oldest and the youngest are both begun: no minute is ever cut short. */
const slots = 61;

/**
 * How much there was in the last minute, by the second: a constant size and a constant time, however busy.
 * A token bucket would be smaller, but lets twice its amount through in a minute that begins with a full one; this never
 * lets more than the amount through in any minute, at the price of holding some of it a second too long.
 */
export class SlidingMinute {
  private readonly counts = new Float64Array(slots);
  private sum = 0;
  /** The youngest slot's, in seconds since 1970. */
  private second = 0;

  add(atMs: number, amount: number): void {
    this.advance(atMs);
    const slot = this.second % slots;
    this.counts[slot] = (this.counts[slot] ?? 0) + amount;
    this.sum += amount;
  }

  used(atMs: number): number {
    this.advance(atMs);
    return this.sum;
  }

  /** How long until `needed` more, at most `max`, fit under `max`; 0: now. */
  waitMs(atMs: number, needed: number, max: number): number {
    let left = this.used(atMs);
    for (let age = slots - 1; age >= 0 && left + needed > max; age--) {
      left -= this.counts[(this.second - age) % slots] ?? 0;
      if (left + needed <= max) return (this.second - age + slots) * slotMs - atMs;
    }
    return 0;
  }

  private advance(atMs: number): void {
    const now = Math.floor(atMs / slotMs);
    // Either way: after a clock that was far ahead it would otherwise hold what it has until then.
    if (Math.abs(now - this.second) >= slots) {
      this.counts.fill(0);
      this.sum = 0;
      this.second = now;
      return;
    }
    // Time that went back counts in the youngest slot.
    while (this.second < now) {
      this.second++;
      const slot = this.second % slots;
      this.sum -= this.counts[slot] ?? 0;
      this.counts[slot] = 0;
    }
  }
}
