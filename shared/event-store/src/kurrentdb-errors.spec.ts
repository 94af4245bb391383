import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  UnavailableError,
  UnknownError,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@kurrent/kurrentdb-client';
import { describe, expect, it } from 'vitest';
import {
  AppendTooLargeError,
  StoreUnavailableError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
} from './event-store.js';
import { checkPlace, toAppendError } from './kurrentdb-errors.js';

const convert = (error: unknown): Error => toAppendError(error, 'credit-a', 3);

describe('what the client’s errors mean', () => {
  it.each([
    ['the server is away', new UnavailableError()],
    ['the connection was cancelled', new CancelledError()],
    ['the server ran out of time', new DeadlineExceededError()],
    ['the server starts', new UnknownError(undefined, 'Could not recognize Server Is Not Ready')],
    ['code 13 at SIGTERM', new UnknownError(undefined, '13 INTERNAL: RST_STREAM')],
    ['a plain Error of the capabilities call', Object.assign(new Error('14'), { code: 14 })],
    ['our own time limit', new Error('no answer within 5000 ms')],
    ['something that is no Error', 'boom'],
  ])('takes "%s" for an unknown outcome and keeps the cause', (_, error) => {
    const converted = convert(error);
    expect(converted).toBeInstanceOf(UnknownOutcomeError);
    expect(converted.cause).toBe(error);
  });

  it('gives a conflict the stream’s revision, which its empty message hides', () => {
    const conflict = (current: bigint | 'no_stream') =>
      convert(
        new WrongExpectedVersionError(undefined, { streamName: 'credit-a', expected: 3n, current }),
      );
    expect(conflict(7n)).toMatchObject({ stream: 'credit-a', expected: 3, actual: 7 });
    expect(conflict('no_stream')).toMatchObject({ actual: undefined });
    expect(conflict(7n)).toBeInstanceOf(WrongExpectedRevisionError);
  });

  it('says that an append was too large', () => {
    expect(convert(new MaxAppendSizeExceededError(undefined, 1))).toBeInstanceOf(
      AppendTooLargeError,
    );
  });

  it.each([
    new AccessDeniedError(),
    new StreamDeletedError(undefined, 'credit-a'),
    new UnsupportedError('x', '1'),
    new StoreUnavailableError('this store was closed'),
    new WrongExpectedRevisionError('credit-a', 3, 5),
  ])('passes on what a retry would not change: %o', (error) => {
    expect(convert(error)).toBe(error);
  });
});

describe('a success of the node', () => {
  it.each([
    ['no-stream', 2, 1],
    [4, 3, 7],
    ['any', 3, 99],
  ] as const)('is believed after %s, %d events, at %d', (expected, count, revision) => {
    expect(() => checkPlace('credit-a', expected, { revision, count })).not.toThrow();
  });

  it.each([
    ['no-stream', 2, 2],
    [4, 3, 6],
  ] as const)('is a conflict after %s, %d events, at %d', (expected, count, revision) => {
    expect(() => checkPlace('credit-a', expected, { revision, count })).toThrow(
      WrongExpectedRevisionError,
    );
  });
});
