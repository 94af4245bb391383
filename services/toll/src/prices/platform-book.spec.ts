import { expect, test } from 'vitest';
import type { PriceBookEvent } from '@tollkeeper/events';
import { defaultMultipliers, multiplierEvents } from '@tollkeeper/pricing';

import type { Operator } from '../operator.js';
import { platformBook } from './platform-book.js';

type Order = Operator['order'];

/** A pricing service that answers in pages of two events. */
const operatorOf = (events: readonly object[]): Pick<Operator, 'order'> => ({
  order: (({ body, reply }) => {
    const { after = 0 } = body as { after?: number };
    const next = after + 2 < events.length ? { next: after + 2 } : {};
    const asOf = '2026-10-01T00:00:00.000Z';
    return Promise.resolve(reply.parse({ events: events.slice(after, after + 2), ...next, asOf }));
  }) as Order,
});

const price: PriceBookEvent = {
  type: 'VendorPricePublished',
  data: {
    priceVersion: 'acme:m@1',
    provider: 'acme',
    model: 'm',
    effectiveFrom: '2020-01-01T00:00:00.000Z',
    rates: [{ meter: 'input', unit: 'token', per: '1', rateUsd: '1' }],
    source: { name: 'spec' },
  },
};

const at = new Date('2026-10-01T00:00:00.000Z');

test('the book of the running installation holds what all pages hold', async () => {
  const rules = defaultMultipliers.flatMap((rule) => multiplierEvents(rule, 'spec'));
  const book = await platformBook(operatorOf([...rules, price]));
  expect(book.priceAt({ provider: 'acme', model: 'm' }, at)?.id).toBe('acme:m@1');
  const rule = book.multiplierFor({ provider: 'acme', model: 'm', tier: 'free' }, at);
  expect(rule?.ruleId).toBe('tier:free@1');
});

test('an event that this command does not know is named, not skipped', async () => {
  const unknown = operatorOf([{ type: 'PriceGuessed', data: {} }]);
  await expect(platformBook(unknown)).rejects.toMatchObject({ reason: 'unknown-event' });
});
