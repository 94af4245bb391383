import { partitionCount } from '@tollkeeper/contracts';

/** What an instance may do with a partition. */
export interface Ownership {
  /** True while commands of the partition are carried out here. */
  readonly serves: (partition: number) => boolean;
}

/** Of an instance that has no peers. */
export const soleOwner: Ownership = { serves: (partition) => partition < partitionCount };
