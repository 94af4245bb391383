import type { PartitionTable } from './partition-table.js';

export interface Versioned<T> {
  readonly value: T;
  readonly revision: number;
}

/** Renewed by its owner again and again: all of an instance's partitions hang on it. */
export interface Beat {
  readonly epoch: number;
  /** How long its owner is to be waited for: while a restart changes it, instances differ. Absent in beats of old. */
  readonly leaseMs?: number;
}

/**
 * Where instances agree: compare-and-set by revision. Reads are of the latest revision, never of a replica
 * that lags. Every method rejects when the store cannot be reached in time; a write may then have happened.
 */
export interface LeaseStore {
  readonly readBeat: (instance: string) => Promise<Versioned<Beat> | undefined>;
  /** `expected` 0: there is none yet. Resolves with the new revision. */
  readonly writeBeat: (
    instance: string,
    beat: Beat,
    expected: number,
  ) => Promise<number | 'conflict'>;
  readonly readTable: () => Promise<Versioned<PartitionTable> | undefined>;
  readonly writeTable: (table: PartitionTable, expected: number) => Promise<number | 'conflict'>;
  /** A hint that the table may have changed. */
  readonly onTableWrite: (hint: () => void) => void;
}
