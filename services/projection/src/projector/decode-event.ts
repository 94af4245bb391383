import {
  creditAccountSchemas,
  creditStream,
  fromStoredCredit,
  UndecodableEventError,
} from '@tollkeeper/events';
import type { RecordedEvent } from '@tollkeeper/event-store';
import type { LedgerEvent } from './ledger-event.js';
import type { ParkedRow } from './project-batch.js';
import { maybeUnstorable, storable } from './storable.js';

/** Written by a newer version: this one must not guess, for any account. */
export class UnknownEventError extends Error {
  override readonly name = 'UnknownEventError';
}

const prefix = creditStream('');

export const accountIdOf = (stream: string): string => stream.slice(prefix.length);

const schemaVersionOf = (metadata: string): unknown => {
  try {
    const parsed: unknown = JSON.parse(metadata);
    return typeof parsed === 'object' && parsed !== null && 'schemaVersion' in parsed
      ? parsed.schemaVersion
      : undefined;
  } catch {
    return undefined;
  }
};

const assertKnown = (recorded: RecordedEvent): void => {
  const where = `${recorded.stream}@${String(recorded.revision)} (event ${recorded.id})`;
  if (!Object.hasOwn(creditAccountSchemas, recorded.type)) {
    throw new UnknownEventError(`unknown event type ${recorded.type} in ${where}`);
  }
  const version = schemaVersionOf(recorded.metadata);
  if (typeof version === 'number' && version !== 1) {
    throw new UnknownEventError(
      `unknown version ${String(version)} of ${recorded.type} in ${where}`,
    );
  }
};

export type DecodedEvent =
  | { readonly event: LedgerEvent; readonly broken?: undefined }
  | { readonly broken: ParkedRow; readonly event?: undefined };

/**
 * A broken payload is a value, because it parks its account; an unknown type or version throws, because it stops the projector.
 * Text that the database cannot hold is replaced here, so that rows, and the keys that look them up, hold the same.
 *
 * @throws UnknownEventError
 */
export const decodeEvent = (recorded: RecordedEvent): DecodedEvent => {
  const accountId = accountIdOf(recorded.stream);
  try {
    const place = { accountId, revision: recorded.revision, id: recorded.id };
    const decoded = fromStoredCredit(recorded);
    const isSuspect = maybeUnstorable(recorded.data) || maybeUnstorable(recorded.metadata);
    return { event: Object.assign(isSuspect ? storable(decoded) : decoded, place) };
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error;
    assertKnown(recorded);
    return {
      broken: storable({
        account_id: accountId,
        revision: recorded.revision,
        event_id: recorded.id,
        event_type: recorded.type,
        reason: error.message,
      }),
    };
  }
};
