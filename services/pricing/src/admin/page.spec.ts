import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageOf } from './page.js';

const idOf = (row: number): string => `row ${String(row)}`;

const pagesOf = (
  rows: readonly number[],
  limit: number,
  isShown: (row: number) => boolean,
  text = '',
): number[][] => {
  const pages: number[][] = [];
  let after: string | undefined;
  do {
    const view = (row: number) => (isShown(row) ? { row, text } : undefined);
    const { items, next } = pageOf(rows, { limit, after }, idOf, view);
    pages.push(items.map(({ row }) => row));
    after = next;
  } while (after !== undefined);
  return pages;
};

test('the pages hold every row that is shown, once and in order, and no page too many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 10 }),
      fc.func(fc.boolean()),
      (count, limit, isShown) => {
        const rows = Array.from({ length: count }, (_, row) => row);
        const shown = rows.filter((row) => isShown(row));
        const pages = pagesOf(rows, limit, (row) => isShown(row));
        expect(pages.flat()).toEqual(shown);
        expect(pages).toHaveLength(Math.max(1, Math.ceil(shown.length / limit)));
      },
    ),
  );
});

test('a page fits into a message of the bus, and holds at least one row', () => {
  const rows = [1, 2, 3];
  const sizes = pagesOf(rows, 100, () => true, 'x'.repeat(300_000)).map((page) => page.length);
  expect(sizes).toEqual([1, 1, 1]);
});

test('a page behind a row that is not shown any more goes on behind it', () => {
  const rows = [1, 2, 3, 4];
  const view = (row: number) => (row === 2 ? undefined : row);
  expect(pageOf(rows, { limit: 5, after: idOf(2) }, idOf, view).items).toEqual([3, 4]);
});

test('a page behind a row that never was is the last', () => {
  expect(pageOf([1, 2], { limit: 5, after: 'row 9' }, idOf, (row) => row)).toEqual({ items: [] });
});
