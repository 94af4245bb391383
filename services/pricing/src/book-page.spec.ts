import { expect, test } from 'vitest';
import { bookReply } from '@tollkeeper/contracts';
import type { PriceBookEvent } from '@tollkeeper/events';
import { bookPage } from './book-page.js';
import { seedStreams } from './domain/price-book/seed-streams.js';
import { vendorPrices } from './seed/vendor-prices.js';

const asOf = new Date('2026-08-01T00:00:00.000Z');
const seeded = seedStreams(vendorPrices()).flatMap(({ events }) => events);
const many = Array.from({ length: 20 }, () => seeded).flat();

const pages = (recorded: readonly PriceBookEvent[]): unknown[][] => {
  const read: unknown[][] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = bookReply.parse(bookPage(recorded, after, asOf));
    read.push(page.events);
    after = page.next;
  }
  return read;
};

test('the pages hold every event, once and in order', () => {
  expect(pages(many).flat()).toEqual(many);
  expect(pages(seeded).flat()).toEqual(seeded);
});

test('a page fits into a message of the bus', () => {
  const sizes = pages(many).map((page) => JSON.stringify(page).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(500_000);
});

test('an empty book, and a page behind the last, are empty', () => {
  expect(bookPage([], 0, asOf)).toEqual({ events: [], asOf: asOf.toISOString() });
  expect(bookPage(seeded, seeded.length + 5, asOf)).toEqual({
    events: [],
    asOf: asOf.toISOString(),
  });
});
