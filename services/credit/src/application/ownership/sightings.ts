/** When each peer's beat was last seen to change, by this observer's own monotonic clock. */
export class Sightings {
  private readonly seen = new Map<string, { revision: number; sinceMs: number; leaseMs: number }>();

  constructor(private readonly leaseMs: number) {}

  see(instance: string, revision: number, nowMs: number, leaseMs = this.leaseMs): void {
    const last = this.seen.get(instance);
    if (last?.revision !== revision) this.seen.set(instance, { revision, sinceMs: nowMs, leaseMs });
  }

  /** Those whose lease has run out. */
  over(nowMs: number): Set<string> {
    const over = new Set<string>();
    for (const [instance, { sinceMs, leaseMs }] of this.seen) {
      if (nowMs - sinceMs >= leaseMs) over.add(instance);
    }
    return over;
  }

  keepOnly(instances: readonly string[]): void {
    for (const instance of this.seen.keys()) {
      if (!instances.includes(instance)) this.seen.delete(instance);
    }
  }
}
