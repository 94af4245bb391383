/** What the proof found: a place where the books do not say what the events say. */
export interface Difference {
  /** Which promise it breaks, e.g. `hash-chain`, `charge`, `read-model`. */
  readonly check: string;
  readonly message: string;
  readonly accountId?: string;
  readonly revision?: number;
  readonly eventId?: string;
  readonly table?: string;
  readonly key?: string;
  /** The table's row as JSON text; null where there is none. */
  readonly live?: string | null;
  /** The row as the events have it. */
  readonly recomputed?: string | null;
}

export class DifferenceError extends Error {
  override readonly name = 'DifferenceError';
  constructor(readonly difference: Difference) {
    super(difference.message);
  }
}

/** Names the promise that is broken, and how. */
export type Fail = (check: string, message: string) => never;
