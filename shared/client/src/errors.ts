import type { Settlement } from './answers.js';
import type { SettleRequest } from './requests.js';

/**
 * `not-carried-out`: this call changed nothing. `unknown`: the command may have been carried out, or
 * still be; send it again with the same `commandId` to find out.
 */
export type CommandOutcome = 'not-carried-out' | 'unknown';

/** Everything that this client throws, but for a TypeError on a wrong argument and your signal's reason. */
export abstract class TollkeeperError extends Error {
  abstract readonly kind:
    | 'unavailable'
    | 'refused'
    | 'not-permitted'
    | 'unexpected-answer'
    | 'closed'
    | 'settlement-pending'
    | 'settlement-refused';
}

interface Sent {
  /** Undefined for a query. */
  readonly commandId?: string | undefined;
  readonly outcome: CommandOutcome;
  readonly cause?: unknown;
}

/** No answer in time: nobody serves it, the connection is gone, or the service is too slow. Never a yes. */
export class TollkeeperUnavailableError extends TollkeeperError {
  override readonly name = 'TollkeeperUnavailableError';
  readonly kind = 'unavailable';
  readonly commandId: string | undefined;
  readonly outcome: CommandOutcome;

  constructor(message: string, sent: Sent) {
    super(message, { cause: sent.cause });
    this.commandId = sent.commandId;
    this.outcome = sent.outcome;
  }
}

/** These credentials may not send this: grants, refunds and adjustments take the operator's. */
export class NotPermittedError extends TollkeeperError {
  override readonly name = 'NotPermittedError';
  readonly kind = 'not-permitted';
}

/** The service answered what this version of the client cannot read; it may have been carried out. */
export class UnexpectedAnswerError extends TollkeeperError {
  override readonly name = 'UnexpectedAnswerError';
  readonly kind = 'unexpected-answer';
  readonly commandId: string | undefined;

  constructor(message: string, sent: Omit<Sent, 'outcome'>) {
    super(message, { cause: sent.cause });
    this.commandId = sent.commandId;
  }
}

/** The client was closed. */
export class ClientClosedError extends TollkeeperError {
  override readonly name = 'ClientClosedError';
  readonly kind = 'closed';
}

/** A settle that is still owed, as plain JSON: `client.settle(accountId, request, { commandId })` sends it again. */
export interface UnsettledCommand {
  readonly accountId: string;
  readonly commandId: string;
  readonly request: SettleRequest;
}

interface Unsettled {
  readonly settlement: UnsettledCommand;
  readonly value: unknown;
  readonly workError: unknown;
  readonly cause: unknown;
}

abstract class UnsettledError extends TollkeeperError {
  readonly settlement: UnsettledCommand;
  /** What the work returned. */
  readonly value: unknown;
  /** What the work threw. */
  readonly workError: unknown;

  constructor(message: string, unsettled: Unsettled) {
    super(message, { cause: unsettled.cause });
    this.settlement = unsettled.settlement;
    this.value = unsettled.value;
    this.workError = unsettled.workError;
  }
}

/**
 * The work of `withReservation` is done and its settle got no answer, though it was sent again and
 * again with one id. Keep `settlement` and send it later: usage is charged however late it comes.
 */
export class SettlementPendingError extends UnsettledError {
  override readonly name = 'SettlementPendingError';
  readonly kind = 'settlement-pending';
}

/** The work of `withReservation` is done and its settle was refused: `cause` says why. Needs a person. */
export class SettlementRefusedError extends UnsettledError {
  override readonly name = 'SettlementRefusedError';
  readonly kind = 'settlement-refused';
}

/** What `withReservation` gives back. */
export interface WorkDone<T> {
  readonly value: T;
  /** Undefined where the work released its reservation. */
  readonly settlement: Settlement | undefined;
}
