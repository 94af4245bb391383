import {
  importReply,
  pricingAdminSubjects,
  type ImportedPrice,
  type Refused,
  type VendorPriceBody,
} from '@tollkeeper/contracts';

import { CommandError } from '../command-error.js';
import { isRefused, type Operator } from '../operator.js';
import { batchesOf } from './import-batches.js';

/** A batch of new models is some hundreds of appends. */
const REPLY_TIMEOUT_MS = 60_000;

export interface SendOptions {
  readonly dryRun: boolean;
  readonly reason: string;
}

/** Refusals that every batch would get: nothing is gained by sending the rest. */
const isOfTheSender = ({ reason }: Refused): boolean =>
  reason === 'not-authorized' || reason === 'not-permitted';

const refusedAll = (
  batch: readonly VendorPriceBody[],
  { message, reason }: Refused,
): ImportedPrice[] =>
  batch.map(({ provider, model }) => ({
    provider,
    model,
    outcome: 'refused',
    message: `${message} (${reason})`,
  }));

/**
 * Sends prices to the price book, batch by batch, and gathers what became of each. A batch that is refused does not
 * keep back the others. An import that breaks off is run again: what is in the book is unchanged then.
 */
export const sendImport = async (
  operator: Pick<Operator, 'ask'>,
  prices: readonly VendorPriceBody[],
  { dryRun, reason }: SendOptions,
  progress: (done: number, total: number) => void,
): Promise<ImportedPrice[]> => {
  const batches = batchesOf(prices);
  const outcomes: ImportedPrice[] = [];
  for (const [place, batch] of batches.entries()) {
    const answer = await operator.ask({
      subject: pricingAdminSubjects.importPrices,
      body: { prices: batch, dryRun, reason },
      reply: importReply,
      timeoutMs: REPLY_TIMEOUT_MS,
    });
    if (!isRefused(answer)) outcomes.push(...answer.prices);
    else if (isOfTheSender(answer)) throw new CommandError(answer.reason, answer.message);
    else outcomes.push(...refusedAll(batch, answer));
    progress(place + 1, batches.length);
  }
  return outcomes;
};
