import type { Json } from '@tollkeeper/kernel';

/** An account's state as of one event of its stream. */
export interface AccountSnapshot {
  /** Of the last event in it. */
  readonly revision: number;
  /** `eventHash` of that event: binds the snapshot to the bytes of the stream. */
  readonly lastHash: string;
  /** As `toSnapshot` made it. */
  readonly state: Json;
}

/** When a snapshot is made. */
export interface SnapshotRule {
  /** Events since the last one. */
  readonly eventsMin: number;
  readonly everyMs: number;
  /** Events since the last one, when the account leaves memory: fewer are read as fast as a snapshot. */
  readonly lastEventsMin: number;
}

export const defaultSnapshotRule: SnapshotRule = {
  eventsMin: 128,
  everyMs: 1_000,
  lastEventsMin: 32,
};

/** Snapshots may be lost, old, or missing at any time: nothing depends on them but the time that a load takes. */
export interface Snapshots {
  readonly rule: SnapshotRule;
  /** Never throws; undefined when there is none that can be used. */
  readonly find: (accountId: string) => Promise<AccountSnapshot | undefined>;
  /** Takes a snapshot to be written in its own time, or not at all. */
  readonly offer: (accountId: string, snapshot: AccountSnapshot) => void;
}
