import type * as contracts from '@tollkeeper/contracts';
import { decimalText, type Amount } from './amount.js';
import { timeText } from './arguments.js';
import type {
  AdjustRequest,
  AmountRequest,
  Attempt,
  CompletionRequest,
  CorrectRequest,
  GrantRequest,
  Purpose,
  RefundRequest,
  ReleaseRequest,
  ReserveRequest,
  SettleRequest,
} from './requests.js';

/** Requests of this client to the contract's bodies. @throws TypeError on an amount that is not exact, or a time that is none */
export const toReserve = (request: ReserveRequest): contracts.Reserve =>
  'amountCredits' in request ? toAmount(request) : toCompletion(request);

const toCompletion = (request: CompletionRequest): contracts.CompletionRequested => ({
  ...purposeOf(request),
  candidates: [...request.candidates],
  bounds: request.bounds,
  requestStartedAt: maybeTime(request.requestStartedAt, 'requestStartedAt'),
});

export const toAmount = (request: AmountRequest): contracts.Charge => ({
  ...purposeOf(request),
  amountCredits: decimalText(request.amountCredits, 'amountCredits'),
});

const purposeOf = ({ userId, projectId, keyId, taskType, context }: Purpose) => ({
  userId,
  projectId,
  keyId,
  taskType,
  context,
});

export const toSettle = (request: SettleRequest): contracts.Settle => ({
  reservationId: request.reservationId,
  attempts: request.attempts?.map(toAttempt),
  amountCredits: maybe(request.amountCredits, 'amountCredits'),
});

const toAttempt = (attempt: Attempt): contracts.Attempt => ({ ...attempt });

export const toRelease = (request: ReleaseRequest): contracts.Release => ({
  reservationId: request.reservationId,
  reason: request.reason ?? 'failed',
  attempts: request.attempts?.map(toAttempt),
});

export const toCorrect = (request: CorrectRequest): contracts.Correct => ({
  reservationId: request.reservationId,
  attempts: request.attempts.map(toAttempt),
});

export const toGrant = (request: GrantRequest): contracts.GrantCredits => ({
  amountCredits: decimalText(request.amountCredits, 'amountCredits'),
  kind: request.kind,
  priority: request.priority,
  effectiveAt: maybeTime(request.effectiveAt, 'effectiveAt'),
  expiresAt: maybeTime(request.expiresAt, 'expiresAt'),
  costBasisUsd: maybe(request.costBasisUsd, 'costBasisUsd'),
  externalReference: request.externalReference,
  topUpId: request.topUpId,
});

export const toRefund = (request: RefundRequest): contracts.Refund => ({
  reservationId: request.reservationId,
  amountCredits: maybe(request.amountCredits, 'amountCredits'),
  reasonCode: request.reasonCode,
  reference: request.reference,
});

export const toAdjust = (request: AdjustRequest): contracts.Adjust => ({
  amountCredits: decimalText(request.amountCredits, 'amountCredits'),
  reasonCode: request.reasonCode,
  reference: request.reference,
  bookDebt: request.bookDebt,
});

const maybe = (amount: Amount | undefined, field: string): string | undefined =>
  amount === undefined ? undefined : decimalText(amount, field);

const maybeTime = (time: Date | undefined, field: string): string | undefined =>
  time === undefined ? undefined : timeText(time, field);
