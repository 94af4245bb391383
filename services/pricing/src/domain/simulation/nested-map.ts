/** Values by several texts. Joining them into one key for each look-up took longer than the arithmetic. */
export class NestedMap<T> {
  readonly #root = new Map<string, unknown>();

  /** What is there, or what is made and kept when nothing is. */
  get(keys: readonly [string, ...string[]], make: () => T): T {
    let map = this.#root;
    const last = keys.length - 1;
    for (let place = 0; place < last; place += 1) {
      const key = keys[place] ?? '';
      let next = map.get(key) as Map<string, unknown> | undefined;
      if (!next) map.set(key, (next = new Map()));
      map = next;
    }
    const key = keys[last] ?? '';
    if (!map.has(key)) map.set(key, make());
    return map.get(key) as T;
  }

  /** Every value with its keys, in the order of the keys. */
  entries(): readonly (readonly [keys: readonly string[], value: T])[] {
    return entriesOf<T>(this.#root, []);
  }
}

const entriesOf = <T>(
  map: ReadonlyMap<string, unknown>,
  before: readonly string[],
): (readonly [readonly string[], T])[] =>
  [...map]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]) =>
      value instanceof Map
        ? entriesOf<T>(value as ReadonlyMap<string, unknown>, [...before, key])
        : [[[...before, key], value as T] as const],
    );
