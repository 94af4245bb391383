import { formatMoney, parseMoney, type Json, type Money } from '@tollkeeper/kernel';

/** One field's way into a snapshot and back. */
export interface Codec<T> {
  /** What it writes, in words: two versions that write differently have different ones. */
  readonly shape: string;
  readonly to: (value: T) => Json;
  /** Throws where the snapshot does not hold such a value. */
  readonly from: (json: Json) => T;
}

type Field<T, K extends keyof T> = Codec<T[K]>;

/** A codec for each field, optional ones too: leaving one out does not compile. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T, K> };

const fail = (what: string, json: Json): never => {
  throw new Error(`not ${what}: ${JSON.stringify(json).slice(0, 100)}`);
};

const isList = (json: Json): json is readonly Json[] => Array.isArray(json);

const isObject = (json: Json): json is Readonly<Record<string, Json>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

/** Strings, of which `T` may allow only some: they are the event's own, and were checked when it was decided. */
export const textOf = <T extends string>(): Codec<T> => ({
  shape: 'text',
  to: (value) => value,
  from: (json) => (typeof json === 'string' ? (json as T) : fail('a text', json)),
});
export const text: Codec<string> = textOf<string>();

export const flag: Codec<boolean> = {
  shape: 'flag',
  to: (value) => value,
  from: (json) => (typeof json === 'boolean' ? json : fail('a flag', json)),
};

/** A count, a revision, or a time in milliseconds, also an endless one. Never money. */
export const count: Codec<number> = {
  shape: 'count',
  to: (value) => (value === Infinity ? 'endless' : value),
  from: (json) =>
    json === 'endless' ? Infinity : typeof json === 'number' ? json : fail('a count', json),
};

export const money: Codec<Money> = {
  shape: 'money',
  to: formatMoney,
  from: (json) => parseMoney(text.from(json)),
};

/** Data of an event, which is JSON already. `shape` names its version. */
export const eventData = <T>(shape: string): Codec<T> => ({
  shape,
  to: (value) => value as Json,
  from: (json) => (isObject(json) ? (json as T) : fail(shape, json)),
});

export const maybe = <T>(codec: Codec<T>): Codec<T | undefined> => ({
  shape: `${codec.shape}?`,
  to: (value) => (value === undefined ? null : codec.to(value)),
  from: (json) => (json === null ? undefined : codec.from(json)),
});

/** Of lists that may be changed as well as of those that may not. */
interface ListCodec<T> {
  readonly shape: string;
  readonly to: (values: readonly T[]) => Json;
  readonly from: (json: Json) => T[];
}

export const listOf = <T>(codec: Codec<T>): ListCodec<T> => ({
  shape: `[${codec.shape}]`,
  to: (values) => values.map(codec.to),
  from: (json) => (isList(json) ? json.map(codec.from) : fail('a list', json)),
});

export const setOf = <T>(codec: Codec<T>): Codec<Set<T>> => {
  const list = listOf(codec);
  return {
    shape: `set ${list.shape}`,
    to: (values) => list.to([...values]),
    from: (json) => new Set(list.from(json)),
  };
};

/** Keeps the order of insertion, which may mean something. */
export const mapOf = <K extends string, V>(codec: Codec<V>): Codec<Map<K, V>> => ({
  shape: `map ${codec.shape}`,
  to: (map) => [...map].map(([key, value]) => [key, codec.to(value)]),
  from: (json) => {
    const map = new Map<K, V>();
    for (const entry of isList(json) ? json : fail('a map', json)) {
      const [key, value] = isList(entry) ? entry : fail('an entry', entry);
      if (value === undefined) return fail('an entry', entry);
      map.set(text.from(key ?? null) as K, codec.from(value));
    }
    return map;
  },
});

export const recordOf = <T extends object>(fields: Fields<T>): Codec<T> => {
  const entries = Object.entries(fields) as [string & keyof T, Codec<T[keyof T]>][];
  return {
    shape: `{${entries.map(([name, codec]) => `${name}: ${codec.shape}`).join(', ')}}`,
    to: (value) =>
      Object.fromEntries(entries.map(([name, codec]) => [name, codec.to(value[name])])),
    from: (json) => {
      if (!isObject(json)) return fail('a record', json);
      return Object.fromEntries(
        entries.map(([name, codec]) => [name, codec.from(json[name] ?? null)]),
      ) as T;
    },
  };
};
