import { partitionCount } from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import type { LeaseStore, Versioned } from './lease-store.js';
import type { Ownership } from './ownership.js';
import {
  emptyTable,
  handOvers,
  withHandedOver,
  withMember,
  withoutMembers,
  withOrphansAdopted,
  type PartitionTable,
} from './partition-table.js';
import { Sightings } from './sightings.js';

export interface LeaseTimes {
  readonly renewEveryMs: number;
  /** Without a new beat for so long, others may take what an instance owns. */
  readonly leaseMs: number;
}

export const defaultLeaseTimes: LeaseTimes = {
  renewEveryMs: 1_000,
  leaseMs: 5_000,
};

export interface LeaseKeeperOptions {
  readonly instance: string;
  readonly store: LeaseStore;
  readonly logger: Logger;
  /** Monotonic, in milliseconds. */
  readonly nowMs: () => number;
  readonly times: LeaseTimes;
  /** Resolves with those of the partitions on which nothing is in flight any more, in bounded time. */
  readonly drain: (partitions: readonly number[]) => Promise<readonly number[]>;
  /** Taken or lost: what is known of their accounts is out of date. */
  readonly onChanged: (partitions: ReadonlySet<number>) => void;
  /** Another process goes by the same instance id. */
  readonly onSuperseded: () => void;
}

const notMine = 0;
const serving = 1;
const handingOver = 2;

/**
 * Keeps this instance's share of the partitions, so that as a rule one instance writes an account and no two fight for
 * it. Nothing that is answered rests on it: what two decide at a time is told apart by the store (account-mailbox.ts). An
 * observer calls a lease over when it has seen no new beat for the beat's `leaseMs` of its own monotonic time.
 */
export class LeaseKeeper implements Ownership {
  private readonly states = new Uint8Array(partitionCount);
  private readonly sightings: Sightings;
  private table: Versioned<PartitionTable> = { value: emptyTable, revision: 0 };
  private epoch = 0;
  private beatRevision = 0;
  private unreachable = false;
  /** When the beats were last asked for: what an answer shows may be that old. */
  private lookedAtMs = -Infinity;
  private superseded = false;
  private leaving = false;
  private stopped = false;
  private readonly timers: NodeJS.Timeout[] = [];
  private beating: Promise<void> | undefined;
  private working: Promise<void> | undefined;
  private again = false;
  private readonly waiters = new Set<() => void>();
  /** A hand-over was written, or not: nobody knows yet. */
  private unsure = false;

  constructor(private readonly with_: LeaseKeeperOptions) {
    this.sightings = new Sightings(with_.times.leaseMs);
  }

  get instance(): string {
    return this.with_.instance;
  }

  get revision(): number {
    return this.table.revision;
  }

  /** True while there are other instances. */
  get hasPeers(): boolean {
    for (const name in this.table.value.members) if (name !== this.with_.instance) return true;
    return false;
  }

  serves(partition: number): boolean {
    return this.states[partition] === serving;
  }

  ownerOf(partition: number): string | undefined {
    return this.table.value.owners[partition] ?? undefined;
  }

  /** Resolves at the next change of the table, or after so long. Asks for the table at once. */
  changed(withinMs: number): Promise<void> {
    this.wake();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.waiters.add(done);
    });
  }

  /** Becomes a member, however long the lease store takes to be reached, and takes what is nobody's. */
  async join(): Promise<void> {
    for (;;) {
      try {
        if ((await this.takeEpoch()) && (await this.enter())) break;
      } catch (error) {
        this.with_.logger.error({ reason: messageOf(error) }, 'waiting for the lease store');
        await new Promise((resolve) => setTimeout(resolve, this.with_.times.renewEveryMs));
      }
    }
    this.with_.logger.info({ epoch: this.epoch, owned: this.ownedCount() }, 'joined');
  }

  start(): void {
    const { renewEveryMs } = this.with_.times;
    this.with_.store.onTableWrite(() => this.wake());
    this.timers.push(setInterval(() => void this.beat(), renewEveryMs));
    this.timers.push(setInterval(() => this.wake(), renewEveryMs));
    this.wake();
  }

  /** Hands everything over to those that stay, as far as there are any, in bounded time; then is no member any more. */
  async leave(withinMs: number): Promise<void> {
    this.leaving = true;
    const until = this.with_.nowMs() + withinMs;
    while (this.with_.nowMs() < until && !this.superseded) {
      this.wake();
      await this.working;
      const { members } = this.table.value;
      const others = Object.entries(members).some(
        ([name, member]) => name !== this.instance && member.leaving !== true,
      );
      if (members[this.instance]?.leaving === true && (!others || this.ownedCount() === 0)) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** After `leave` and when nothing is in flight: the next owner need not wait for the lease to run out. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    await this.working;
    await this.beating;
    if (this.superseded) return;
    try {
      for (let written = false; !written;) {
        await this.readTable();
        const gone = withoutMembers(this.table.value, new Set([this.instance]));
        written = await this.writeTable(withOrphansAdopted(gone));
      }
    } catch (error) {
      this.failed(error);
    }
  }

  /** One renewal. */
  beat(): Promise<void> {
    return (this.beating ??= this.renew()
      .catch((error: unknown) => this.failed(error))
      .finally(() => (this.beating = undefined)));
  }

  /** One look at everything, and what it calls for. */
  async step(): Promise<void> {
    await this.readTable();
    if (this.superseded) return;
    if (this.unsure) await this.ascertain();
    if (this.unsure) {
      // The table has changed since it was read, perhaps by that very hand-over: whoever reads it again knows.
      this.again = true;
      return;
    }
    await this.observe();
    await this.repair();
    await this.handOver();
  }

  private wake(): void {
    if (this.stopped) return;
    if (this.working) {
      this.again = true;
      return;
    }
    this.again = false;
    this.working = this.step()
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.working = undefined;
        if (this.again) this.wake();
      });
  }

  /** The beat is taken over first, so that a former process of this id notices before its leases change. */
  private async takeEpoch(): Promise<boolean> {
    const { store, instance } = this.with_;
    const [beat, table] = await Promise.all([store.readBeat(instance), store.readTable()]);
    const known = Math.max(beat?.value.epoch ?? 0, table?.value.members[instance]?.epoch ?? 0);
    const epoch = known + 1;
    const { leaseMs } = this.with_.times;
    const revision = await store.writeBeat(instance, { epoch, leaseMs }, beat?.revision ?? 0);
    if (revision === 'conflict') return false;
    this.epoch = epoch;
    this.beatRevision = revision;
    return true;
  }

  private async enter(): Promise<boolean> {
    const read = await this.with_.store.readTable();
    if (read) this.table = read;
    const joined = withMember(this.table.value, this.instance, { epoch: this.epoch });
    return this.writeTable(withOrphansAdopted(joined));
  }

  private async renew(): Promise<void> {
    if (this.superseded) return;
    const { store, instance, times } = this.with_;
    const beating = { epoch: this.epoch, leaseMs: times.leaseMs };
    const revision = await store.writeBeat(instance, beating, this.beatRevision);
    this.unreachable = false;
    if (revision !== 'conflict') {
      this.beatRevision = revision;
      return;
    }
    const beat = await store.readBeat(instance);
    if (beat && beat.value.epoch !== this.epoch) this.stepDown();
    // An earlier write of ours whose confirmation was lost, or a store that has lost its memory.
    else this.beatRevision = beat?.revision ?? 0;
  }

  /** Said once: every try of a long outage would be a flood. */
  private failed(error: unknown): void {
    if (!this.unreachable) {
      this.with_.logger.warn({ reason: messageOf(error) }, 'the lease store cannot be reached');
    }
    this.unreachable = true;
  }

  private stepDown(): void {
    this.superseded = true;
    const lost = this.owned();
    for (const partition of lost) this.states[partition] = notMine;
    this.with_.onChanged(new Set(lost));
    this.with_.logger.fatal(
      { instance: this.instance },
      'another process goes by this instance id: stepping down',
    );
    this.with_.onSuperseded();
  }

  private async readTable(): Promise<void> {
    const known = this.table.revision;
    const read = await this.with_.store.readTable();
    if ((read?.revision ?? 0) < known) {
      this.with_.logger.error('the lease store has lost the partition table: joining anew');
      this.table = { value: emptyTable, revision: 0 };
      this.compare();
    }
    if (read) this.apply(read);
  }

  private apply(table: Versioned<PartitionTable>): void {
    if (table.revision <= this.table.revision) return;
    this.table = table;
    const epoch = table.value.members[this.instance]?.epoch ?? 0;
    if (epoch > this.epoch) {
      this.stepDown();
      return;
    }
    this.compare();
  }

  /** Brings what is served here in line with the table. */
  private compare(): void {
    const { members, owners } = this.table.value;
    const member = members[this.instance]?.epoch === this.epoch;
    const changed = new Set<number>();
    for (let partition = 0; partition < partitionCount; partition++) {
      const mine = member && owners[partition] === this.instance;
      if (mine === (this.states[partition] !== notMine)) continue;
      this.states[partition] = mine ? serving : notMine;
      changed.add(partition);
    }
    if (changed.size > 0) {
      this.with_.onChanged(changed);
      this.with_.logger.info(
        { changed: changed.size, owned: this.ownedCount(), members: Object.keys(members) },
        'partitions changed',
      );
    }
    for (const waiter of this.waiters) waiter();
  }

  private async writeTable(table: PartitionTable): Promise<boolean> {
    const revision = await this.with_.store.writeTable(table, this.table.revision);
    if (revision === 'conflict') return false;
    this.apply({ value: table, revision });
    return true;
  }

  private async observe(): Promise<void> {
    const { members } = this.table.value;
    const others = Object.keys(members).filter((name) => name !== this.instance);
    this.sightings.keepOnly(others);
    this.lookedAtMs = this.with_.nowMs();
    const beats = await Promise.all(others.map((name) => this.with_.store.readBeat(name)));
    const nowMs = this.with_.nowMs();
    for (const [place, name] of others.entries()) {
      const beat = beats[place];
      const alive = beat?.value.epoch === members[name]?.epoch;
      this.sightings.see(name, alive ? (beat?.revision ?? 0) : 0, nowMs, beat?.value.leaseMs);
    }
  }

  /** Is a member, says whether it leaves, and gives what the dead or nobody owns to those that live. */
  private async repair(): Promise<void> {
    const { value } = this.table;
    const me = value.members[this.instance];
    let next = value;
    if (!me || (this.leaving && me.leaving !== true)) {
      const epoch = this.epoch;
      next = withMember(next, this.instance, this.leaving ? { epoch, leaving: true } : { epoch });
    }
    const gone = this.sightings.over(this.lookedAtMs);
    if (gone.size > 0) next = withoutMembers(next, gone);
    next = withOrphansAdopted(next);
    if (next === value) return;
    if (gone.size > 0) this.with_.logger.warn({ gone: [...gone] }, 'taking over');
    // On a conflict someone else was faster: the next step looks again.
    if (!(await this.writeTable(next))) this.again = true;
  }

  private async handOver(): Promise<void> {
    const moves = handOvers(this.table.value, this.instance);
    if (moves.size === 0) return;
    const partitions = [...moves.keys()].filter((partition) => this.serves(partition));
    for (const partition of partitions) this.states[partition] = handingOver;
    const drained = new Set(await this.with_.drain(partitions));
    const ready = new Map([...moves].filter(([partition]) => drained.has(partition)));
    this.unsure = ready.size > 0;
    while (this.unsure) {
      const next = withHandedOver(this.table.value, this.instance, ready);
      if (await this.writeTable(next)) this.unsure = false;
      else await this.readTable();
    }
    this.resume();
  }

  /** What could not be given away is served here again. */
  private resume(): void {
    for (const [partition, state] of this.states.entries()) {
      if (state === handingOver) this.states[partition] = serving;
    }
    for (const waiter of this.waiters) waiter();
  }

  /** A hand-over whose writing failed can come into force no more once the table has a newer revision. */
  private async ascertain(): Promise<void> {
    if (!(await this.writeTable(this.table.value))) return;
    this.unsure = false;
    this.resume();
  }

  private owned(): number[] {
    return [...this.states.keys()].filter((partition) => this.states[partition] !== notMine);
  }

  private ownedCount(): number {
    return this.owned().length;
  }
}
