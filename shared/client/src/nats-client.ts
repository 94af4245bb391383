import {
  adjustReply,
  affordReply,
  balanceReply,
  creditSubjects,
  grantReply,
  openReply,
  refundReply,
  releaseReply,
  reserveReply,
  settleReply,
  type OpenAccount,
} from '@tollkeeper/contracts';
import type {
  Adjusted,
  Affordability,
  Balance,
  Granted,
  PersonalAccount,
  Refunded,
  Reservation,
  Settlement,
} from './answers.js';
import type { Asker, Question } from './asker.js';
import type { WorkDone } from './errors.js';
import type { Link } from './link.js';
import type { OpenReservation, Work } from './open-reservation.js';
import { RefusedError } from './refusals.js';
import * as convert from './requests.convert.js';
import type {
  AdjustRequest,
  CallOptions,
  ChargeRequest,
  CorrectRequest,
  GrantRequest,
  PersonalAccountRequest,
  RefundRequest,
  ReleaseRequest,
  ReserveRequest,
  SettleRequest,
} from './requests.js';
import type { TollkeeperClient } from './tollkeeper-client.js';
import { accountIdOf, type Who } from './who.js';
import { withReservation } from './with-reservation.js';

type Subject = 'balance' | 'afford' | 'reserve' | 'settle' | 'release' | 'correct' | 'charge';
type AdminSubject = 'open' | 'grant' | 'refund' | 'adjust';

interface Asked<T> extends Omit<Question<T>, 'subject' | 'accountId'> {
  readonly to: Subject | AdminSubject;
}

export class NatsClient implements TollkeeperClient {
  constructor(
    private readonly asker: Asker,
    private readonly link: Link,
  ) {}

  async balance(who: Who, options?: CallOptions): Promise<Balance> {
    const question = { to: 'balance', type: 'query', body: {}, reply: balanceReply } as const;
    return this.ask(who, question, options);
  }

  async affordability(
    who: Who,
    request: ReserveRequest,
    options?: CallOptions,
  ): Promise<Affordability> {
    const body = convert.toReserve(request);
    return this.ask(who, { to: 'afford', type: 'query', body, reply: affordReply }, options);
  }

  async canAfford(who: Who, request: ReserveRequest, options?: CallOptions): Promise<boolean> {
    return (await this.affordability(who, request, options)).affordable;
  }

  async reserve(who: Who, request: ReserveRequest, options?: CallOptions): Promise<Reservation> {
    const question = {
      to: 'reserve',
      type: 'change',
      body: convert.toReserve(request),
      reply: reserveReply,
    } as const;
    const { status: _, ...reserved } = await this.ask(who, question, options);
    return { accountId: accountIdOf(who), ...reserved };
  }

  async settle(who: Who, request: SettleRequest, options?: CallOptions): Promise<Settlement> {
    const body = convert.toSettle(request);
    return this.settled(who, { to: 'settle', type: 'ending', body, reply: settleReply }, options);
  }

  async release(who: Who, request: ReleaseRequest, options?: CallOptions): Promise<void> {
    const body = convert.toRelease(request);
    await this.ask(who, { to: 'release', type: 'ending', body, reply: releaseReply }, options);
  }

  async correct(who: Who, request: CorrectRequest, options?: CallOptions): Promise<Settlement> {
    const body = convert.toCorrect(request);
    return this.settled(who, { to: 'correct', type: 'ending', body, reply: settleReply }, options);
  }

  async charge(who: Who, request: ChargeRequest, options?: CallOptions): Promise<Settlement> {
    const body = convert.toAmount(request);
    return this.settled(who, { to: 'charge', type: 'change', body, reply: settleReply }, options);
  }

  async withReservation<T>(
    who: Who,
    request: ReserveRequest,
    work: (reservation: OpenReservation) => Promise<Work<T>>,
    options: CallOptions = {},
  ): Promise<WorkDone<T>> {
    const reservation = await this.reserve(who, request, options);
    const { signal, correlationId, timeoutMs } = options;
    const rest = { correlationId, timeoutMs };
    return withReservation(this, { reservation, request, options: rest, signal }, work);
  }

  async openPersonalAccount(
    userId: string,
    { tier, timeZone }: PersonalAccountRequest = {},
    options?: CallOptions,
  ): Promise<PersonalAccount> {
    const accountId = accountIdOf({ userId });
    const body: OpenAccount = { ownerUserId: userId, kind: 'personal', tier, timeZone };
    try {
      await this.ask(accountId, { to: 'open', type: 'change', body, reply: openReply }, options);
      return { accountId, opened: true };
    } catch (error) {
      if (error instanceof RefusedError && error.reason === 'account-exists') {
        return { accountId, opened: false };
      }
      throw error;
    }
  }

  async grant(who: Who, request: GrantRequest, options?: CallOptions): Promise<Granted> {
    const body = convert.toGrant(request);
    const question = { to: 'grant', type: 'change', body, reply: grantReply } as const;
    const { status: _, ...granted } = await this.ask(who, question, options);
    return granted;
  }

  async refund(who: Who, request: RefundRequest, options?: CallOptions): Promise<Refunded> {
    const body = convert.toRefund(request);
    const question = { to: 'refund', type: 'change', body, reply: refundReply } as const;
    const { status: _, ...refunded } = await this.ask(who, question, options);
    return refunded;
  }

  async adjust(who: Who, request: AdjustRequest, options?: CallOptions): Promise<Adjusted> {
    const body = convert.toAdjust(request);
    const question = { to: 'adjust', type: 'change', body, reply: adjustReply } as const;
    const { status: _, ...adjusted } = await this.ask(who, question, options);
    return adjusted;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private async settled(
    who: Who,
    question: Asked<Settlement & { status: 'accepted' }>,
    options: CallOptions | undefined,
  ): Promise<Settlement> {
    const { status: _, ...settlement } = await this.ask(who, question, options);
    return settlement;
  }

  private ask<T extends object>(
    who: Who,
    { to, ...question }: Asked<T>,
    options: CallOptions | undefined,
  ): Promise<T> {
    const accountId = accountIdOf(who);
    const subject = creditSubjects[to](accountId);
    return this.asker.ask({ ...question, subject, accountId }, options);
  }
}
