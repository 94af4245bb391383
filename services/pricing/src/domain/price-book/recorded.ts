import type { Decoded, PriceBookEvent } from '@tollkeeper/events';

/** An event as the store keeps it: who and when stand in its metadata. */
export type Recorded = Decoded<PriceBookEvent>;

/** A stream that no writer of ours would have written. */
export class CorruptStreamError extends Error {
  override readonly name = 'CorruptStreamError';
}

/** For `evolve`, of an event that has no place in its stream. */
export const misplaced = ({ type, data }: PriceBookEvent): never => {
  throw new CorruptStreamError(`${type} has no place here: ${JSON.stringify(data).slice(0, 200)}`);
};

/** Where a proposal or a version lives: its id is `<name>@<n>…`. */
export const nameOfId = (id: string): string => {
  const at = id.lastIndexOf('@');
  return at < 0 ? id : id.slice(0, at);
};
