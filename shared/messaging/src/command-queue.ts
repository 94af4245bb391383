import type { BatchVerb } from '@tollkeeper/contracts';

interface Queued {
  readonly verb: BatchVerb;
  readonly bytes: number;
  /** Given up meanwhile: it is not taken any more. */
  readonly over: boolean;
}

/** Commands that wait to be sent: what ends a reservation goes before what begins one. */
export class CommandQueue<T extends Queued> {
  private readonly endings = new Line<T>();
  private readonly reserves = new Line<T>();

  push(command: T): void {
    (command.verb === 'reserve' ? this.reserves : this.endings).push(command);
  }

  oldestReserve(): T | undefined {
    return this.reserves.first();
  }

  /** In their order, and no more than fit: at least one, if any waits. */
  take(commandsMax: number, bytesMax: number): T[] {
    const taken: T[] = [];
    let bytes = 0;
    while (taken.length < commandsMax) {
      const line = this.endings.first() ? this.endings : this.reserves;
      const next = line.first();
      if (!next || (taken.length > 0 && bytes + next.bytes > bytesMax)) break;
      taken.push(next);
      bytes += next.bytes;
      line.shift();
    }
    return taken;
  }
}

/** Taking from the front does not move what is behind it each time, however long it is. */
class Line<T extends { readonly over: boolean }> {
  private waiting: T[] = [];
  private from = 0;

  push(one: T): void {
    this.waiting.push(one);
  }

  /** The oldest that is still wanted. */
  first(): T | undefined {
    while (this.waiting[this.from]?.over) this.shift();
    return this.waiting[this.from];
  }

  shift(): void {
    this.from++;
    if (this.from <= 1_024 && this.from < this.waiting.length) return;
    this.waiting = this.waiting.slice(this.from);
    this.from = 0;
  }
}
