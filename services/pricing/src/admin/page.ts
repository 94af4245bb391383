/** Well below the largest message that the bus carries. */
const pageCharactersMax = 400_000;

export interface PageOf<V> {
  readonly items: V[];
  readonly next?: string;
}

export interface PageQuery {
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

/**
 * As many of the ordered rows as were asked for and a message holds, from behind `after` on. A row that has no view is
 * passed over, and still holds its place: what changes between two pages moves no other row. An unknown `after` ends the list.
 */
export const pageOf = <R, V>(
  rows: readonly R[],
  { limit, after }: PageQuery,
  idOf: (row: R) => string,
  viewOf: (row: R) => V | undefined,
): PageOf<V> => {
  const first = after === undefined ? 0 : placeBehind(rows, after, idOf);
  const items: V[] = [];
  let characters = 0;
  let last: string | undefined;
  for (const row of rows.slice(first)) {
    const view = viewOf(row);
    if (view === undefined) continue;
    characters += JSON.stringify(view).length;
    const isFull = items.length >= limit || (items.length > 0 && characters > pageCharactersMax);
    if (isFull && last !== undefined) return { items, next: last };
    items.push(view);
    last = idOf(row);
  }
  return { items };
};

const placeBehind = <R>(rows: readonly R[], id: string, idOf: (row: R) => string): number => {
  const place = rows.findIndex((row) => idOf(row) === id);
  return place < 0 ? rows.length : place + 1;
};
