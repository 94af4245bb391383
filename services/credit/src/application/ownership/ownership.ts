import { partitionCount } from '@tollkeeper/contracts';

/** What an instance may do with a partition. */
export interface Ownership {
  /** True while commands of the partition are carried out here. */
  readonly serves: (partition: number) => boolean;
  /** Another number each time that the partition is taken or lost. */
  readonly generationOf: (partition: number) => number;
  /** True while surely nobody else can have taken what this instance owns, by its own monotonic clock. */
  readonly isFresh: () => boolean;
  /** Asks the lease store whether the partition is still held as of this generation. */
  readonly confirm: (
    partition: number,
    generation: number,
  ) => Promise<'held' | 'lost' | 'unreachable'>;
}

/** Of an instance that has no peers. */
export const soleOwner: Ownership = {
  serves: (partition) => partition < partitionCount,
  generationOf: () => 0,
  isFresh: () => true,
  confirm: () => Promise.resolve('held'),
};
