import type { ImportReply } from '@tollkeeper/contracts';
import { isRefused, type WriteRefusal } from '../application/book-writer.js';
import type { PriceImport } from '../application/import-prices.js';
import type { ImportOutcome } from '../domain/vendor-price/import-prices.js';
import { toRefused } from './admin-desk.js';

/** Leaves room in a message of the bus, which carries 1 MB, for the outcomes themselves. */
const changesCharactersMax = 400_000;

/** What becomes of each price; changes that the message does not hold besides are left out, and stand in their alerts. */
export const toImportReply = (
  { prices }: PriceImport,
  outcomes: readonly ImportOutcome[] | WriteRefusal,
): ImportReply => {
  if (isRefused(outcomes)) return toRefused(outcomes);
  let characters = 0;
  const fits = (changes: object): boolean => {
    characters += JSON.stringify(changes).length;
    return characters <= changesCharactersMax;
  };
  return {
    status: 'accepted',
    prices: outcomes.map(({ changes, ...outcome }, place) => ({
      provider: prices[place]?.provider ?? '',
      model: prices[place]?.model ?? '',
      ...outcome,
      ...(changes && fits(changes) ? { changes: [...changes] } : {}),
    })),
  };
};
