import type { BatchVerb } from '@tollkeeper/contracts';

interface Queued {
  readonly verb: BatchVerb;
  /** Given up meanwhile: it is not taken any more. */
  readonly over: boolean;
}

/** Commands that wait to be sent: what ends a reservation goes before what begins one. */
export class CommandQueue<T extends Queued> {
  private readonly endings: T[] = [];
  private reserves: T[] = [];
  /** Where the waiting reserves begin: taking from the front must not move a long queue each time. */
  private from = 0;

  push(command: T): void {
    (command.verb === 'reserve' ? this.reserves : this.endings).push(command);
  }

  oldestReserve(): T | undefined {
    while (this.reserves[this.from]?.over) this.from++;
    return this.reserves[this.from];
  }

  /** At most so many, in their order. */
  take(max: number): T[] {
    const taken = this.endings.splice(0, max).filter((each) => !each.over);
    while (taken.length < max) {
      const next = this.oldestReserve();
      if (!next) break;
      taken.push(next);
      this.from++;
    }
    if (this.from > 1_024 || this.from >= this.reserves.length) {
      this.reserves = this.reserves.slice(this.from);
      this.from = 0;
    }
    return taken;
  }
}
