import { uuidPattern } from '@tollkeeper/kernel';
import {
  AppendTooLargeError,
  InvalidEventError,
  appendBytesMax,
  type ExpectedRevision,
  type NewEvent,
} from './event-store.js';

/** Categories become NOTIFY channels and regular expressions; ids may hold what model names hold. */
const streamPattern = /^[A-Za-z][A-Za-z0-9_]{0,39}-[^\p{C}]{1,200}$/u;
const typePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * What every adapter refuses before it sends anything; answers the size of the append in bytes as KurrentDB counts it.
 * That a payload is JSON is checked where it costs least: `checkJson`, or the database itself.
 */
export const checkAppend = (
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): number => {
  if (!streamPattern.test(stream)) throw new InvalidEventError(`not a stream name: ${stream}`);
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new InvalidEventError(`not a revision: ${String(expected)}`);
  }
  if (events.length === 0) throw new InvalidEventError(`stream ${stream}: no events to append`);
  let bytes = 0;
  for (const event of events) bytes += checkEvent(event);
  if (events.length > 1 && new Set(events.map((event) => event.id)).size < events.length) {
    throw new InvalidEventError(`stream ${stream}: an event id is repeated`);
  }
  if (bytes > appendBytesMax) {
    throw new AppendTooLargeError(
      `stream ${stream}: ${String(bytes)} bytes to append, at most ${String(appendBytesMax)}`,
    );
  }
  return bytes;
};

const checkEvent = ({ id, type, data, metadata }: NewEvent): number => {
  if (!uuidPattern.test(id)) throw new InvalidEventError(`not an event id: ${id}`);
  if (!typePattern.test(type)) throw new InvalidEventError(`not an event type: ${type}`);
  // UTF-8 cannot hold a lone surrogate: it would be stored as U+FFFD, and the hash would not match.
  if (loneSurrogate.test(data) || loneSurrogate.test(metadata)) {
    throw new InvalidEventError(`event ${id}: a lone surrogate cannot be stored`);
  }
  return 2 * type.length + Buffer.byteLength(data) + Buffer.byteLength(metadata);
};

/** For adapters whose store would take any bytes. */
export const checkJson = (events: readonly NewEvent[]): void => {
  for (const { id, data, metadata } of events) {
    try {
      JSON.parse(data);
      JSON.parse(metadata);
    } catch (error) {
      throw new InvalidEventError(`event ${id}: not JSON`, { cause: error });
    }
  }
};
