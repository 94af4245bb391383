/** Accounts are owned by credit instances in this many parts. Never changes: instances must agree on it. */
export const partitionCount = 64;

/** The partition of an account: FNV-1a (32 bit) over the id's characters, which are ASCII. */
export const partitionOf = (accountId: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < accountId.length; at++) {
    hash = Math.imul(hash ^ accountId.charCodeAt(at), 0x01000193);
  }
  // The low bits of FNV-1a alone spread ids that differ in their last character only a little.
  return ((hash >>> 16) ^ hash) & (partitionCount - 1);
};

/** The JetStream key-value bucket of the credit instances' leases. */
export const partitionBucket = 'credit-partitions';

/** Headers of a message that one credit instance passes on to another. */
export const forwardHeaders = {
  /** The subject that the caller sent it to. */
  subject: 'Toll-Forwarded-Subject',
  /** How often it has been passed on. */
  hops: 'Toll-Forwarded-Hops',
  /** The revision of the partition table that the sender went by. */
  tableRevision: 'Toll-Table-Revision',
} as const;
