import { hash } from 'node:crypto';
import { z } from 'zod';
import { messageOf } from '@tollkeeper/kernel';
import { creditAccountSchemas, type CreditAccountEvent } from './credit-account.js';
import { priceBookSchemas, type PriceBookEvent } from './price-book.js';
import { isoTime } from './usage.js';

/** What every stored event carries beside its data. */
export const eventMetadata = z.object({
  schemaVersion: z.literal(1),
  occurredAt: isoTime,
  /** The request that began it all. */
  correlationId: z.string(),
  /** The message or event that caused this one. */
  causationId: z.string(),
  /** Who asked; informs, never authorises. */
  actor: z.string(),
  commandId: z.string(),
  /** SHA-256 over the command's fields without times and trace ids. */
  commandHash: z.string(),
  /** `eventHash` of the stream's previous event; of the stream's name for the first. */
  prevHash: z.string(),
});
export type EventMetadata = z.infer<typeof eventMetadata>;

/** The event as the store keeps it: the payloads are the bytes that were hashed. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

export type Decoded<E> = E & { readonly metadata: EventMetadata };

/** A stored event that this version cannot read: unknown type, unknown version or a broken payload. */
export class UndecodableEventError extends Error {
  override readonly name = 'UndecodableEventError';
}

const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** The chain's link: SHA-256 over id, type and both payloads' bytes, hexadecimal. */
export const eventHash = (event: StoredEvent): string =>
  sha256(`${event.id}\n${event.type}\n${event.data}\n${event.metadata}`);

/** `prevHash` of a stream's first event: binds the chain to its stream. */
export const genesisHash = (stream: string): string => sha256(stream);

/** SHA-256 of a command's canonical text. */
export const commandHashOf = (canonicalText: string): string => sha256(canonicalText);

export const toStored = (
  id: string,
  event: CreditAccountEvent | PriceBookEvent,
  metadata: EventMetadata,
): StoredEvent => ({
  id,
  type: event.type,
  data: JSON.stringify(event.data),
  metadata: metadataText(metadata),
});

/** Only what callers choose needs escaping; this runs for every event, and JSON.stringify took thrice as long. */
const metadataText = (metadata: EventMetadata): string =>
  `{"schemaVersion":1,"occurredAt":"${metadata.occurredAt}"` +
  `,"correlationId":${JSON.stringify(metadata.correlationId)}` +
  `,"causationId":${JSON.stringify(metadata.causationId)}` +
  `,"actor":${JSON.stringify(metadata.actor)}` +
  `,"commandId":${JSON.stringify(metadata.commandId)}` +
  `,"commandHash":"${metadata.commandHash}","prevHash":"${metadata.prevHash}"}`;

const decoder =
  <E>(schemas: Readonly<Record<string, z.ZodType>>) =>
  (stored: StoredEvent): Decoded<E> => {
    const schema = Object.hasOwn(schemas, stored.type) ? schemas[stored.type] : undefined;
    if (!schema)
      throw new UndecodableEventError(`unknown event type ${stored.type} (${stored.id})`);
    try {
      const data: unknown = schema.parse(JSON.parse(stored.data));
      const metadata = eventMetadata.parse(JSON.parse(stored.metadata));
      return { type: stored.type, data, metadata } as unknown as Decoded<E>;
    } catch (error) {
      throw new UndecodableEventError(`${stored.type} ${stored.id}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };

/** Reads an event of a credit account; throws UndecodableEventError. */
export const fromStoredCredit: (stored: StoredEvent) => Decoded<CreditAccountEvent> =
  decoder<CreditAccountEvent>(creditAccountSchemas);

/** Reads an event of the price book; throws UndecodableEventError. */
export const fromStoredPriceBook: (stored: StoredEvent) => Decoded<PriceBookEvent> =
  decoder<PriceBookEvent>(priceBookSchemas);
