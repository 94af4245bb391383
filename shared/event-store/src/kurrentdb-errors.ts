import {
  AccessDeniedError,
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  StreamTombstonedError,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import {
  AppendTooLargeError,
  StoreUnavailableError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  type ExpectedRevision,
} from './event-store.js';

/** The node's own refusals: it has stored nothing, and asking again would change nothing. */
const refusals = [
  AccessDeniedError,
  InvalidArgumentError,
  StreamDeletedError,
  StreamTombstonedError,
  UnsupportedError,
];

export const isRefusal = (error: unknown): boolean =>
  refusals.some((refusal) => error instanceof refusal);

/**
 * What a failed append means to the port. Whatever is not a clear refusal is an unknown outcome: the client gives
 * outages many faces (UnavailableError; a plain Error with code 14; an UnknownError with code 13 or
 * "Server Is Not Ready"), and a list of them would one day miss one.
 */
export const toAppendError = (
  error: unknown,
  stream: string,
  expected: ExpectedRevision,
): Error => {
  if (error instanceof WrongExpectedVersionError) {
    // Its message is empty, and `actualState` is a bigint or a word such as 'no_stream'.
    const { actualState } = error;
    const actual = typeof actualState === 'bigint' ? Number(actualState) : undefined;
    return new WrongExpectedRevisionError(stream, expected, actual);
  }
  if (error instanceof MaxAppendSizeExceededError) {
    return new AppendTooLargeError(`stream ${stream}: too large for the node`, { cause: error });
  }
  if (error instanceof WrongExpectedRevisionError) return error;
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof Error && isRefusal(error)) return error;
  return new UnknownOutcomeError(`stream ${stream}: the append was not answered`, {
    cause: error,
  });
};

/** A success that names another place than the one asked for is not believed. */
export const checkPlace = (
  stream: string,
  expected: ExpectedRevision,
  { revision, count }: { revision: number; count: number },
): void => {
  if (expected === 'any') return;
  const before = expected === 'no-stream' ? -1 : expected;
  if (revision !== before + count) throw new WrongExpectedRevisionError(stream, expected, revision);
};
