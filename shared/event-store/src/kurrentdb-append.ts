import {
  AppendConsistencyViolationError,
  STREAM_STATE,
  UnsupportedError,
  type AppendRecordInput,
  type BinaryEventType,
  type ConsistencyCheck,
} from '@kurrent/kurrentdb-client';
import {
  createAppendQueue,
  type Appender,
  type AppendPart,
  type QueuedAppend,
} from './append-queue.js';
import { StoreUnavailableError, type AppendResult, type ExpectedRevision } from './event-store.js';
import { toNode, toRecord } from './kurrentdb-codec.js';
import { checkPlace, toAppendError } from './kurrentdb-errors.js';
import { NoAnswerError, type KurrentSender } from './kurrentdb-sender.js';

/** A node takes 1 MiB at least; what it adds to each record (schema, property names) is within the eighth left. */
const bytesMax = 896 * 1024;
const eventsMax = 1_000;
/** The node compares every event with every stream of the call. */
const streamsMax = 128;

interface SizedPart extends AppendPart {
  readonly bytes: number;
}

/** Each append is a call of its own: what every node can do. */
export const createSingleAppender = (sender: KurrentSender): Appender => ({
  append: (stream, expected, events, bytes) =>
    appendOne(sender, { stream, expected, events, bytes }),
  close: sender.close,
});

/**
 * What is queued while a call is in flight goes together in one transaction of the node. It is all or nothing, so
 * whatever the node has against it, each append is then sent alone, with the same ids at the same revision, and gets the
 * answer that it would have got without neighbours.
 */
export const createMergingAppender = (
  sender: KurrentSender,
  onError: (error: unknown) => void,
): Appender => {
  const queue = createAppendQueue({
    bytesMax,
    eventsMax,
    streamsMax,
    // The node tells streams in one call apart without regard to case.
    keyOf: (stream) => stream.toUpperCase(),
    flush: (batch) => flush(sender, batch, onError),
  });
  return {
    append: queue.append,
    close: async () => {
      await queue.close();
      await sender.close();
    },
  };
};

/** Whether the node has `AppendRecords` (26.1 and newer): one without records is refused, and stores nothing. */
export const canMerge = async (
  sender: KurrentSender,
  onError: (error: unknown) => void,
): Promise<boolean> => {
  try {
    await sender.send({ streams: [], bytes: 0, send: (client) => client.appendRecords([]) });
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    if (isRefusalOfNothing(error)) return true;
    // Not a reason not to start: the store works without.
    onError(error);
    return false;
  }
};

const invalidArgument = 3;
const isRefusalOfNothing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === invalidArgument;

const flush = async (
  sender: KurrentSender,
  batch: readonly QueuedAppend[],
  onError: (error: unknown) => void,
): Promise<void> => {
  // `any` names no place: if the answer were lost, sending it once more could store it twice.
  const together = batch.filter(({ expected }) => expected !== 'any');
  const alone = batch.filter(({ expected }) => expected === 'any');
  if (together.length < 2) return flushEach(sender, batch);
  await Promise.all([flushTogether(sender, together, onError), flushEach(sender, alone)]);
};

const flushTogether = async (
  sender: KurrentSender,
  batch: readonly QueuedAppend[],
  onError: (error: unknown) => void,
): Promise<void> => {
  try {
    const revisions = await appendTogether(sender, batch);
    for (const part of batch) answer(part, revisions.get(part.stream));
  } catch (error) {
    if (error instanceof NoAnswerError || error instanceof StoreUnavailableError) {
      for (const part of batch) part.reject(toAppendError(error, part.stream, part.expected));
      return;
    }
    // Every append that was stored before, beside one that was not, is a violation too: it takes the call of its own to tell.
    if (!(error instanceof AppendConsistencyViolationError)) onError(error);
    await flushEach(sender, batch);
  }
};

const answer = (part: QueuedAppend, revision: number | undefined): void => {
  const { stream, expected, events } = part;
  try {
    if (revision === undefined) throw new Error(`stream ${stream}: stored, but not answered`);
    checkPlace(stream, expected, { revision, count: events.length });
    part.resolve({ revision });
  } catch (error) {
    part.reject(toAppendError(error, stream, expected));
  }
};

const flushEach = async (sender: KurrentSender, batch: readonly QueuedAppend[]): Promise<void> => {
  await Promise.all(batch.map((part) => appendOne(sender, part).then(part.resolve, part.reject)));
};

const appendOne = async (
  sender: KurrentSender,
  { stream, expected, events, bytes }: SizedPart,
): Promise<AppendResult> => {
  try {
    const { nextExpectedRevision } = await sender.send({
      streams: [stream],
      bytes,
      send: (client) =>
        client.appendToStream(stream, events.map(toNode), { streamState: stateOf(expected) }),
    });
    const revision = Number(nextExpectedRevision);
    checkPlace(stream, expected, { revision, count: events.length });
    return { revision };
  } catch (error) {
    throw toAppendError(error, stream, expected);
  }
};

const appendTogether = async (
  sender: KurrentSender,
  batch: readonly SizedPart[],
): Promise<Map<string, number>> => {
  const records: AppendRecordInput<BinaryEventType>[] = [];
  const checks: ConsistencyCheck[] = [];
  const streams: string[] = [];
  let bytes = 0;
  for (const part of batch) {
    const streamName = part.stream;
    streams.push(streamName);
    bytes += part.bytes;
    checks.push({ type: STREAM_STATE, streamName, expectedState: stateOf(part.expected) });
    for (const event of part.events) records.push({ streamName, record: toRecord(event) });
  }
  const { responses } = await sender.send({
    streams,
    bytes,
    send: (client) => client.appendRecords(records, checks),
  });
  return new Map(responses.map(({ streamName, revision }) => [streamName, Number(revision)]));
};

const stateOf = (expected: ExpectedRevision): 'any' | 'no_stream' | bigint => {
  if (expected === 'no-stream') return 'no_stream';
  return expected === 'any' ? 'any' : BigInt(expected);
};
