import { checkAppend } from './check-append.js';
import { WrongExpectedRevisionError, type EventStore, type RecordedEvent } from './event-store.js';

/** No dash: what comes before the first one is the category, and each prefix has categories of its own. */
const shape = /^[A-Za-z0-9_.]{1,64}$/;

/** @throws Error */
export const checkStreamPrefix = (prefix: string): void => {
  if (!shape.test(prefix)) {
    throw new Error('streamPrefix: at most 64 letters, digits, dots and underscores');
  }
};

/**
 * The part of a store whose streams' names begin with the prefix, to callers that do not know of it: so several
 * installations share a store, and none sees another's events.
 */
export const withStreamPrefix = (store: EventStore, prefix: string): EventStore => {
  const without = (event: RecordedEvent): RecordedEvent => ({
    ...event,
    stream: event.stream.slice(prefix.length),
  });
  const withPrefix = (names: readonly string[]): string[] => names.map((name) => prefix + name);
  return {
    ...store,
    append: async (stream, expected, events) => {
      // By its own name: one that is none must not become one by the prefix.
      checkAppend(stream, expected, events);
      try {
        return await store.append(prefix + stream, expected, events);
      } catch (error) {
        if (!(error instanceof WrongExpectedRevisionError)) throw error;
        throw new WrongExpectedRevisionError(stream, error.expected, error.actual);
      }
    },
    read: async function* (stream, options) {
      for await (const event of store.read(prefix + stream, options)) yield without(event);
    },
    lastRevision: (stream) => store.lastRevision(prefix + stream),
    subscribe: (options) =>
      store.subscribe({
        ...options,
        categories: withPrefix(options.categories),
        onEvents: (events) => options.onEvents(events.map(without)),
      }),
    head: (categories) => store.head(categories && withPrefix(categories)),
  };
};
