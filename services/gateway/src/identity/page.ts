/** The most that one reply lists: far below what a NATS message carries. */
export const pageSize = 500;

export interface Page<T> {
  readonly items: T[];
  /** Undefined: this is the last page. */
  readonly next: string | undefined;
}

/** Of `pageSize + 1` rows, the last one only says that there is more. */
export const pageOf = <T>(rows: T[], keyOf: (row: T) => string): Page<T> => {
  const items = rows.slice(0, pageSize);
  const last = items.at(-1);
  return { items, next: rows.length > pageSize && last ? keyOf(last) : undefined };
};
