import * as contracts from '@tollkeeper/contracts';
import { defaultGrantPriority } from '@tollkeeper/events';
import { formatMoney, isTimeZone, parseMoney } from '@tollkeeper/kernel';
import { creditsToUsd, type CreditPolicy } from '@tollkeeper/pricing';
import type { z } from 'zod';
import type { Outcome } from './application/submission.js';
import {
  identify,
  InvalidRequest,
  lookRequest,
  parse,
  requestOf,
  type Converter,
  type Envelope,
  type Request,
} from './credit-request.js';
import { limitConverters, type LimitVerb } from './limits.convert.js';
import { operatorConverters, type OperatorVerb } from './operator.convert.js';
import type { Attempt, RequestedPurpose } from './domain/credit-account/commands.js';
import {
  availableCredits,
  balanceCredits,
  owedCredits,
  type ChargeAnswer,
  type CreditAccount,
} from './domain/credit-account/state.js';

type CallVerb =
  'reserve' | 'settle' | 'release' | 'charge' | 'correct' | 'rerate' | 'open' | 'grant';
export type Verb = CallVerb | OperatorVerb | LimitVerb;

interface PurposeFields {
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly taskType?: string | undefined;
  readonly context?: Record<string, string> | undefined;
}

const purposeOf = (body: PurposeFields): RequestedPurpose => {
  const { userId, projectId, keyId, taskType, context } = body;
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(taskType === undefined ? {} : { taskType }),
    ...(context === undefined ? {} : { context }),
  };
};

const toAttempt = (attempt: z.output<typeof contracts.settle>['attempts'] & object): Attempt[] =>
  attempt.map((each) => ({
    provider: each.provider,
    model: each.model,
    answeredModel: each.answeredModel,
    vendorRequestId: each.vendorRequestId,
    serviceTier: each.serviceTier,
    region: each.region,
    billed: each.billed,
    provenance: each.provenance,
    usage: each.usage,
    failure: each.failure,
  }));

const isPlainAmount = (body: unknown): body is { readonly amountCredits: unknown } =>
  typeof body === 'object' && body !== null && 'amountCredits' in body;

export const reserveRequest = (raw: unknown, envelope: Envelope): Request => {
  if (isPlainAmount(raw)) {
    if ('candidates' in raw) throw new InvalidRequest('either candidates or amountCredits');
    const body = parse(contracts.reserveAmount, raw);
    const ids = identify('ReserveAmount', body, envelope);
    const amountCredits = parseMoney(body.amountCredits);
    return requestOf(
      { type: 'ReserveAmount', ...ids, purpose: purposeOf(body), amountCredits },
      body,
      envelope,
      false,
      reserveAnswer(ids.commandId),
    );
  }
  const body = parse(contracts.completionRequested, raw);
  const ids = identify('ReserveCompletion', body, envelope);
  return requestOf(
    {
      type: 'ReserveCompletion',
      ...ids,
      purpose: purposeOf(body),
      candidates: body.candidates,
      bounds: { ...body.bounds, serviceTier: body.bounds.serviceTier, region: body.bounds.region },
      requestStartedAt:
        body.requestStartedAt === undefined ? undefined : new Date(body.requestStartedAt),
    },
    body,
    envelope,
    false,
    reserveAnswer(ids.commandId),
  );
};

const settleRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.settle, raw);
  return requestOf(
    {
      type: 'Settle',
      ...identify('Settle', body, envelope),
      reservationId: body.reservationId,
      attempts: toAttempt(body.attempts ?? []),
      amountCredits: body.amountCredits === undefined ? undefined : parseMoney(body.amountCredits),
    },
    body,
    envelope,
    true,
    settleAnswer(body.reservationId),
  );
};

const releaseRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.release, raw);
  return requestOf(
    {
      type: 'Release',
      ...identify('Release', body, envelope),
      reservationId: body.reservationId,
      reason: body.reason,
      attempts: toAttempt(body.attempts ?? []),
    },
    body,
    envelope,
    true,
    () => ({ status: 'accepted' }),
  );
};

const chargeRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.charge, raw);
  const ids = identify('Charge', body, envelope);
  const amountCredits = parseMoney(body.amountCredits);
  return requestOf(
    { type: 'Charge', ...ids, purpose: purposeOf(body), amountCredits },
    body,
    envelope,
    false,
    settleAnswer(ids.commandId),
  );
};

const correctRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.correct, raw);
  const ids = identify('CorrectUsage', body, envelope);
  const { reservationId } = body;
  return requestOf(
    { type: 'CorrectUsage', ...ids, reservationId, attempts: toAttempt(body.attempts) },
    body,
    envelope,
    true,
    (account) => {
      const reservation = account.reservations.get(reservationId);
      const corrected = reservation?.corrections?.get(ids.commandId);
      return chargeReply(reservationId, corrected?.answer);
    },
  );
};

/** Answers what it came to, whether this command has changed the charge or it was priced so already. */
const rerateRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.rerate, raw);
  const ids = identify('Rerate', body, envelope);
  const { reservationId, priceVersion, reason } = body;
  return requestOf(
    {
      type: 'CorrectUsage',
      ...ids,
      reservationId,
      attempts: toAttempt(body.attempts),
      rerating: { priceVersion, reason },
    },
    body,
    envelope,
    true,
    (account): contracts.RerateReply => {
      const { corrections } = account.reservations.get(reservationId) ?? {};
      const answer = corrections?.get(ids.commandId)?.answer;
      if (!answer) throw new Error(`no re-rating of ${reservationId} after it was accepted`);
      const { changed, chargeCredits, costUsd } = answer;
      return { status: 'accepted', reservationId, changed, chargeCredits, costUsd };
    },
  );
};

const openRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.openAccount, raw);
  if (!isTimeZone(body.timeZone)) throw new InvalidRequest(`timeZone: not an IANA time zone`);
  const { kind, ownerUserId, tier, timeZone } = body;
  return requestOf(
    {
      type: 'OpenAccount',
      ...identify('OpenAccount', body, envelope),
      kind,
      ownerUserId,
      tier,
      timeZone,
    },
    body,
    envelope,
    true,
    (account) => ({ status: 'accepted', accountId: account.accountId }),
  );
};

const grantRequest = (raw: unknown, envelope: Envelope): Request => {
  const body = parse(contracts.grantCredits, raw);
  const ids = identify('GrantCredits', body, envelope);
  return requestOf(
    {
      type: 'GrantCredits',
      ...ids,
      kind: body.kind,
      amountCredits: parseMoney(body.amountCredits),
      priority: body.priority ?? defaultGrantPriority,
      effectiveAt: body.effectiveAt === undefined ? undefined : new Date(body.effectiveAt),
      expiresAt: body.expiresAt === undefined ? undefined : new Date(body.expiresAt),
      costBasisUsd: body.costBasisUsd === undefined ? undefined : parseMoney(body.costBasisUsd),
      externalReference: body.externalReference,
      topUpId: body.topUpId,
    },
    body,
    envelope,
    true,
    (account, at) => ({
      status: 'accepted',
      grantId: ids.commandId,
      available: formatMoney(availableCredits(account, at.getTime())),
    }),
  );
};

/** Each throws InvalidRequest. */
export const converters: Readonly<Record<Verb, Converter>> = {
  ...operatorConverters,
  ...limitConverters,
  reserve: reserveRequest,
  settle: settleRequest,
  release: releaseRequest,
  charge: chargeRequest,
  correct: correctRequest,
  rerate: rerateRequest,
  open: openRequest,
  grant: grantRequest,
};

export const balanceRequest = (policyAt: (at: Date) => CreditPolicy | undefined): Request =>
  lookRequest((account, at) => balanceView(account, at, policyAt(at)));

const balanceView = (
  account: CreditAccount,
  at: Date,
  policy: CreditPolicy | undefined,
): contracts.BalanceView => {
  if (!policy) throw new Error('no credit policy is in force');
  const balance = balanceCredits(account, at.getTime());
  const available = availableCredits(account, at.getTime());
  const usd = (credits: typeof balance): string => formatMoney(creditsToUsd(credits, policy));
  return {
    accountId: account.accountId,
    ownerUserId: account.ownerUserId,
    tier: account.tier,
    balance: formatMoney(balance),
    reserved: formatMoney(account.reservedCredits),
    available: formatMoney(available),
    debt: formatMoney(owedCredits(account, at.getTime())),
    usdPerCredit: formatMoney(policy.usdPerCredit),
    balanceUsd: usd(balance),
    reservedUsd: usd(account.reservedCredits),
    availableUsd: usd(available),
    asOf: at.toISOString(),
  };
};

const reserveAnswer =
  (reservationId: string) =>
  (account: CreditAccount): contracts.ReserveAccepted => {
    const reservation = account.reservations.get(reservationId);
    if (!reservation) throw new Error(`no reservation ${reservationId} after it was accepted`);
    const { quote } = reservation;
    return {
      status: 'accepted',
      reservationId,
      amountCredits: formatMoney(reservation.amountCredits),
      expiresAt: reservation.expiresAt,
      ...(quote ? { outputTokens: quote.bound.outputTokens } : {}),
    };
  };

const settleAnswer =
  (reservationId: string) =>
  (account: CreditAccount): contracts.SettleAccepted =>
    chargeReply(reservationId, account.reservations.get(reservationId)?.settled?.answer);

const chargeReply = (
  reservationId: string,
  answer: ChargeAnswer | undefined,
): contracts.SettleAccepted => {
  if (!answer) throw new Error(`no charge for ${reservationId} after it was accepted`);
  const { priceVersion, multiplier, provenance, debtCredits, late } = answer;
  return {
    status: 'accepted',
    reservationId,
    chargeCredits: answer.chargeCredits,
    costUsd: answer.costUsd,
    ...(priceVersion === undefined ? {} : { priceVersion }),
    ...(multiplier === undefined ? {} : { multiplier }),
    ...(provenance === undefined ? {} : { provenance }),
    ...(debtCredits === undefined ? {} : { debtCredits }),
    ...(late ? { late } : {}),
  };
};

export const toReply = (outcome: Outcome): object =>
  outcome.type === 'accepted' ? outcome.answer : { status: 'refused', ...outcome.refusal };

export const invalidReply = (message: string): contracts.Refused => ({
  status: 'refused',
  reason: 'invalid-request',
  message,
  retryable: false,
});
