import {
  bookQuery,
  bookReply,
  pricingSubjects,
  refused,
  type BookReply,
} from '@tollkeeper/contracts';
import { priceBookSchemas, type PriceBookEvent, type PriceBookEventType } from '@tollkeeper/events';
import { PriceBook } from '@tollkeeper/pricing';

import { CommandError } from '../command-error.js';
import type { Operator } from '../operator.js';

const isEventType = (type: string): type is PriceBookEventType =>
  Object.hasOwn(priceBookSchemas, type);

const decoded = ({ type, data }: { type: string; data?: unknown }): PriceBookEvent => {
  if (!isEventType(type)) {
    throw new CommandError('unknown-event', `this command does not know what ${type} means`);
  }
  return { type, data: priceBookSchemas[type].parse(data) } as PriceBookEvent;
};

/** The price book of the running installation, as it is now: every version, rule and policy that was recorded. */
export const platformBook = async (operator: Pick<Operator, 'order'>): Promise<PriceBook> => {
  const book = new PriceBook();
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: BookReply = await operator.order({
      subject: pricingSubjects.book,
      body: bookQuery.parse({ after }),
      reply: bookReply.or(refused),
    });
    for (const event of page.events) book.apply(decoded(event));
    after = page.next;
  }
  return book;
};
