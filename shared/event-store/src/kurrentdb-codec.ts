import type { BinaryEventData, Position as NodePosition } from '@kurrent/kurrentdb-client';
import type { NewEvent, Position, RecordedEvent } from './event-store.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The client parses metadata that is JSON and throws its bytes away, which the hash chain needs. A leading
 * record separator (RFC 7464) makes it no JSON to the client, so that the bytes come back.
 */
const recordSeparator = '\u001e';

/**
 * Built as the client's `binaryEvent` does, without its copy byte by byte. Plain Uint8Arrays:
 * the client would send a Buffer in the metadata as JSON.
 */
export const toNode = ({ id, type, data, metadata }: NewEvent): BinaryEventData => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: encoder.encode(data),
  metadata: encoder.encode(recordSeparator + metadata),
});

/**
 * As `toNode`, for a call to several streams. It takes properties instead of metadata, and the node gives them back as a JSON
 * object with properties of its own: a string in it is the same text again, whatever it holds.
 */
export const toRecord = ({ id, type, data, metadata }: NewEvent): BinaryEventData => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: encoder.encode(data),
  metadata: { [property]: metadata },
});

const property = 'metadata';

interface NodeEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly streamId: string;
  readonly revision: bigint;
  readonly created: Date;
}

export const fromNode = (event: NodeEvent, position: NodePosition): RecordedEvent => ({
  id: event.id,
  type: event.type,
  data: textOf(event.data),
  metadata: metadataOf(event.metadata),
  stream: event.streamId,
  revision: Number(event.revision),
  position: toPosition(position),
  recordedAt: event.created,
});

const metadataOf = (metadata: unknown): string => {
  const text =
    typeof metadata === 'object' && metadata !== null
      ? (metadata as Record<string, unknown>)[property]
      : undefined;
  return typeof text === 'string' ? text : textOf(metadata).slice(recordSeparator.length);
};

const textOf = (bytes: unknown): string => {
  if (!(bytes instanceof Uint8Array)) throw new Error('an event of another writer: not binary');
  return decoder.decode(bytes);
};

/** Of fixed width, so that texts compare as the positions do. */
export const toPosition = ({ commit, prepare }: NodePosition): Position =>
  `${fixedWidth(commit)}/${fixedWidth(prepare)}`;

const fixedWidth = (place: bigint): string => place.toString().padStart(20, '0');

export const toNodePosition = (position: Position): NodePosition => {
  const [commit = '', prepare = ''] = position.split('/');
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
};
