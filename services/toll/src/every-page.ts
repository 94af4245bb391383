/** Everything that there is, page by page. */
export const everyPage = async <T>(
  pageAt: (
    after: string | undefined,
  ) => Promise<{ readonly items: readonly T[]; readonly next?: string | undefined }>,
): Promise<T[]> => {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await pageAt(after);
    for (const item of items) all.push(item);
    after = next;
  } while (after !== undefined);
  return all;
};
