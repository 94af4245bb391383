import { InvalidDecimalError, messageOf, parseMoney } from '@tollkeeper/kernel';
import type { Pool } from '@tollkeeper/postgres';
import type { Position, RecordedEvent } from '@tollkeeper/event-store';
import type { Balance } from '../balances/balances.projection.js';
import { loadBalances } from '../balances/balances.store.js';
import type { OpenReservationRow } from '../open-reservations/open-reservations.projection.js';
import { loadAvailable, type GrantKey } from '../grants/grants.store.js';
import { isLimitEvent } from '../limits/limits.projection.js';
import { loadLimits, type LimitKey } from '../limits/limits.store.js';
import { loadOpen, loadReleased, type Key } from '../open-reservations/open-reservations.store.js';
import { loadUsage } from '../usage-log/usage-log.store.js';
import { loadCheckpoint, type Checkpoint } from './checkpoint.store.js';
import { accountIdOf, decodeEvent, type DecodedEvent } from './decode-event.js';
import { grantKey, limitKey, reservationKey, type LedgerEvent } from './ledger-event.js';
import { LruCache } from './lru-cache.js';
import { loadParked } from './parked-accounts.store.js';
import { BatchProjection, type BatchChanges, type ParkedRow } from './project-batch.js';
import { prepareSave } from './save-batch.js';
import { storable } from './storable.js';
import { emptyWorkingSet, type WorkingSet } from './working-set.js';

const accountsCached = 20_000;
const reservationsCached = 20_000;

interface Needs {
  readonly accounts: Set<string>;
  readonly open: Map<string, Key>;
  readonly released: Map<string, Key>;
  readonly usage: Map<string, Key>;
  readonly limits: Map<string, LimitKey>;
  readonly grants: Map<string, GrantKey>;
}

const isEmpty = ({ accounts, open, released, usage, limits, grants }: Needs): boolean =>
  accounts.size + open.size + released.size + usage.size + limits.size + grants.size === 0;

/** What rows say, in memory: only true while nobody else moves the checkpoint. */
class Memory {
  readonly balances = new LruCache<Balance>(accountsCached);
  readonly open = new LruCache<OpenReservationRow>(reservationsCached);

  constructor(readonly parked: Set<string>) {}
}

/** Sent to the database, which has not answered yet. */
interface Unsaved {
  readonly after: Position | undefined;
  readonly events: readonly RecordedEvent[];
  readonly parked: readonly ParkedRow[];
}

/** A value that no amount or no column can hold (SQLSTATE class 22, data exceptions): the same again at every try. */
const cannotBeHeld = (error: unknown): boolean => {
  if (error instanceof InvalidDecimalError) return true;
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'code' in error && /^22[0-9A-Z]{3}$/.test(String(error.code));
};

/**
 * Brings the read models forward, batch after batch, from the checkpoint that it was made at.
 *
 * An event with a value that cannot be held parks its account, as a contradiction does, and the others of its batch go on. What
 * this remembers is only true while nobody else moves the checkpoint; every batch checks that. After any
 * error it must be thrown away, and another one made.
 */
export class BatchProjector {
  private memory: Memory;
  private position: Position | undefined;
  private eventCount: number;
  private saving: Promise<void> = Promise.resolve();
  private unsaved: Unsaved | undefined;
  private newlyParked: ParkedRow[] = [];

  private constructor(
    private readonly pool: Pool,
    private readonly storeId: string,
    checkpoint: Checkpoint,
    parked: Set<string>,
  ) {
    this.position = checkpoint.position;
    this.eventCount = checkpoint.events;
    this.memory = new Memory(parked);
  }

  /** @throws ForeignStoreError */
  static async atCheckpoint(pool: Pool, storeId: string): Promise<BatchProjector> {
    const checkpoint = await loadCheckpoint(pool, storeId);
    return new BatchProjector(pool, storeId, checkpoint, await loadParked(pool));
  }

  /** Of the last event projected. */
  get checkpoint(): Position | undefined {
    return this.position;
  }

  /** Projected since the last reset. */
  get events(): number {
    return this.eventCount;
  }

  /**
   * Projects a batch and begins to save it, once the batch before is saved: the database works on
   * one while this process works on the next.
   *
   * @throws CheckpointMovedError, UnknownEventError, and whatever the database throws, also for the batch before
   */
  async apply(events: readonly RecordedEvent[]): Promise<void> {
    try {
      await this.advance(events);
    } catch (error) {
      if (!cannotBeHeld(error)) throw error;
      const failed = await this.goBack();
      await this.applyCarefully(failed);
      await this.applyCarefully(events);
    }
  }

  /** Resolves when all that was applied is saved, with the accounts parked since it last did; throws what `apply` throws. */
  async saved(): Promise<readonly ParkedRow[]> {
    try {
      await this.confirmed();
    } catch (error) {
      if (!cannotBeHeld(error)) throw error;
      await this.applyCarefully(await this.goBack());
    }
    return this.newlyParked.splice(0);
  }

  private async advance(events: readonly RecordedEvent[]): Promise<void> {
    const decoded = events.map(decodeEvent);
    const projection = new BatchProjection(await this.load(decoded));
    for (const { event, broken } of decoded) {
      if (event) projection.apply(event);
      else if (!projection.isParked(broken.account_id)) projection.park(broken);
    }
    await this.save(events, projection.changes);
    this.remember(projection.changes);
  }

  private async save(events: readonly RecordedEvent[], changes: BatchChanges): Promise<void> {
    const { storeId, position: after } = this;
    const save = prepareSave({ storeId, after, events }, changes);
    await this.confirmed();
    this.unsaved = { after, events, parked: changes.parked };
    this.saving = save(this.pool);
    // Heard by whoever awaits it next; until then it must not count as unheard.
    this.saving.catch(() => undefined);
    this.position = events.at(-1)?.position ?? after;
    this.eventCount += events.length;
  }

  private async confirmed(): Promise<void> {
    await this.saving;
    this.newlyParked.push(...(this.unsaved?.parked ?? []));
    this.unsaved = undefined;
  }

  /** To what is saved; the answer is what was sent and is not. @throws whatever the database threw but `cannotBeHeld` */
  private async goBack(): Promise<readonly RecordedEvent[]> {
    let failed: Unsaved | undefined;
    try {
      await this.confirmed();
    } catch (error) {
      if (!cannotBeHeld(error)) throw error;
      failed = this.unsaved;
    }
    this.saving = Promise.resolve();
    this.unsaved = undefined;
    if (failed) {
      this.position = failed.after;
      this.eventCount -= failed.events.length;
    }
    this.memory = new Memory(await loadParked(this.pool));
    return failed?.events ?? [];
  }

  /** Half by half, until what cannot be held stands alone: its account is parked there, wherever batches begin and end. */
  private async applyCarefully(events: readonly RecordedEvent[]): Promise<void> {
    const [first] = events;
    if (!first) return;
    try {
      await this.advance(events);
      await this.confirmed();
    } catch (error) {
      if (!cannotBeHeld(error)) throw error;
      await this.goBack();
      if (events.length === 1) {
        await this.parkAt(first, messageOf(error));
        return;
      }
      const middle = events.length >> 1;
      await this.applyCarefully(events.slice(0, middle));
      await this.applyCarefully(events.slice(middle));
    }
  }

  private async parkAt(event: RecordedEvent, reason: string): Promise<void> {
    const projection = new BatchProjection({ ...emptyWorkingSet(), parked: this.memory.parked });
    projection.park(
      storable({
        account_id: accountIdOf(event.stream),
        revision: event.revision,
        event_id: event.id,
        event_type: event.type,
        reason,
      }),
    );
    await this.save([event], projection.changes);
    await this.confirmed();
  }

  private remember(changes: BatchChanges): void {
    for (const [accountId, balance] of changes.balances)
      this.memory.balances.set(accountId, balance);
    for (const [key, row] of changes.opened) this.memory.open.set(key, row);
    for (const key of changes.closed.keys()) this.memory.open.delete(key);
  }

  /** From memory where possible: a quiet system's batch reads nothing. */
  private async load(decoded: readonly DecodedEvent[]): Promise<WorkingSet> {
    const set: WorkingSet = { ...emptyWorkingSet(), parked: this.memory.parked };
    const missing = this.needsOf(decoded, set);
    if (isEmpty(missing)) return set;
    // Rows that the batch before is about to write must be read as it leaves them.
    await this.saving;
    if (missing.accounts.size > 0) {
      for (const balance of await loadBalances(this.pool, [...missing.accounts])) {
        set.balances.set(balance.accountId, balance);
      }
    }
    const keyed = async <R extends Key>(
      keys: Map<string, Key>,
      load: (pool: Pool, keys: readonly Key[]) => Promise<R[]>,
      into: Map<string, R>,
    ): Promise<void> => {
      if (keys.size === 0) return;
      for (const row of await load(this.pool, [...keys.values()])) {
        into.set(reservationKey(row.account_id, row.reservation_id), row);
      }
    };
    await keyed(missing.open, loadOpen, set.open);
    await keyed(missing.released, loadReleased, set.released);
    await keyed(missing.usage, loadUsage, set.usage);
    if (missing.grants.size > 0) {
      for (const grant of await loadAvailable(this.pool, [...missing.grants.values()])) {
        const key = grantKey(grant.account_id, grant.grant_id);
        set.grants.set(key, parseMoney(grant.available));
      }
    }
    if (missing.limits.size > 0) {
      for (const limit of await loadLimits(this.pool, [...missing.limits.values()])) {
        set.limits.set(limitKey(limit.account_id, limit.limit_id), limit);
      }
    }
    return set;
  }

  private needsOf(decoded: readonly DecodedEvent[], set: WorkingSet): Needs {
    const missing: Needs = {
      accounts: new Set(),
      open: new Map(),
      released: new Map(),
      usage: new Map(),
      limits: new Map(),
      grants: new Map(),
    };
    const reservedHere = new Set<string>();
    for (const { event } of decoded) {
      if (!event || set.balances.has(event.accountId)) {
        if (event) this.needPrior(event, reservedHere, set, missing);
        continue;
      }
      const known = this.memory.balances.get(event.accountId);
      if (known) set.balances.set(event.accountId, known);
      else if (event.type !== 'AccountOpened') missing.accounts.add(event.accountId);
      this.needPrior(event, reservedHere, set, missing);
    }
    return missing;
  }

  private needPrior(
    event: LedgerEvent,
    reservedHere: Set<string>,
    set: WorkingSet,
    missing: Needs,
  ): void {
    if (
      event.type === 'CreditsGranted' ||
      event.type === 'GrantExpired' ||
      event.type === 'GrantVoided'
    ) {
      const { grantId } = event.data;
      const key = grantKey(event.accountId, grantId);
      missing.grants.set(key, { account_id: event.accountId, grant_id: grantId });
      return;
    }
    if (isLimitEvent(event)) {
      const { limitId } = event.data;
      const key = limitKey(event.accountId, limitId);
      missing.limits.set(key, { account_id: event.accountId, limit_id: limitId });
      return;
    }
    if (!('reservationId' in event.data)) return;
    const { reservationId } = event.data;
    const key = reservationKey(event.accountId, reservationId);
    const row = { account_id: event.accountId, reservation_id: reservationId };
    switch (event.type) {
      case 'Reserved':
        reservedHere.add(key);
        return;
      case 'Settled':
      case 'Released': {
        if (reservedHere.has(key)) return;
        const known = this.memory.open.get(key);
        if (known) set.open.set(key, known);
        else missing.open.set(key, row);
        return;
      }
      case 'SettledLate':
        missing.released.set(key, row);
        missing.usage.set(key, row);
        return;
      case 'UsageCorrected':
      case 'Refunded':
        missing.usage.set(key, row);
        return;
      default:
        return;
    }
  }
}
