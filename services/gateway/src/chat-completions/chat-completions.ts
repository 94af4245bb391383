import type { Attempt, ReserveAccepted } from '@tollkeeper/contracts';
import { uuidv7 } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import type { TextCounter } from '../bounds/text-counter.js';
import type { CompletionEvents } from '../completion-events/completion-events.js';
import { HttpRefusal, unavailable, type RefusalFields } from '../http/http-refusal.js';
import type { Caller } from '../identity/api-key.store.js';
import type { InFlightCall, InFlightJournal } from '../in-flight/in-flight-journal.js';
import type { Recovery } from '../in-flight/recovery.js';
import type { Endings } from '../ledger/endings.js';
import type { Ledger, Reservation } from '../ledger/ledger.js';
import type { Candidate, Catalogue } from '../models/catalogue.js';
import type { OutputLimit } from '../models/output-limit.js';
import type { Spool } from '../spool/spool.js';
import { Answer } from './answer.js';
import type { ChatCall } from './chat-call.convert.js';
import { chargeFields, toChargedBody, toStreamEnd } from './charged-usage.convert.js';
import type { ClientReply } from './client-reply.js';
import {
  boundCall,
  toCompletionRequested,
  type CallBound,
} from './completion-requested.convert.js';
import { judge, type Outcome } from './outcome.js';
import { toHttpRefusal } from './reserve-refusal.convert.js';
import { toUpstreamBody } from './upstream-body.convert.js';

export interface ChatParts {
  readonly catalogue: Catalogue;
  /** Of calls that name no limit. */
  readonly outputLimit: Pick<OutputLimit, 'tokens'>;
  readonly counter: TextCounter;
  readonly ledger: Ledger;
  readonly endings: Endings;
  readonly journal: InFlightJournal;
  readonly recovery: Recovery;
  readonly spool: Spool;
  readonly events: CompletionEvents;
  readonly logger: Logger;
}

export interface ChatLimits {
  readonly inFlightMax: number;
  readonly reserveTimeoutMs: number;
}

/** A call with everything that was decided about it. */
interface Reserved extends Reservation {
  readonly call: ChatCall;
  readonly caller: Caller;
  readonly route: readonly Candidate[];
  readonly bound: CallBound;
  readonly outputTokens: number;
}

/** Steps 2 to 5 of a completion's life: bound, reserve, call the vendor, settle or release. */
export class ChatCompletions {
  private running = 0;
  private stopping = false;

  constructor(
    private readonly parts: ChatParts,
    private readonly limits: ChatLimits,
  ) {}

  get inFlight(): number {
    return this.running;
  }

  /** New calls are refused from now on; those that run come to their end. */
  stop(): void {
    this.stopping = true;
  }

  /** @throws HttpRefusal until the client has been answered */
  async complete(call: ChatCall, caller: Caller, client: ClientReply): Promise<void> {
    this.admit();
    this.running++;
    try {
      const reserved = await this.reserve(call, caller);
      await this.carryOut(reserved, client);
    } finally {
      this.running--;
    }
  }

  /** A gateway that cannot keep its books takes no calls. */
  private admit(): void {
    const { spool, journal } = this.parts;
    if (this.stopping) throw unavailable('The gateway is stopping.', 'stopping');
    if (this.running + this.parts.recovery.size >= this.limits.inFlightMax) {
      throw unavailable('Too many calls are in flight.', 'overloaded');
    }
    if (spool.broken !== undefined || journal.broken !== undefined) {
      if (journal.broken !== undefined && journal.probe() && spool.broken === undefined) return;
      throw unavailable('The gateway cannot write its records.', 'not_ready', 5);
    }
  }

  private async reserve(call: ChatCall, caller: Caller): Promise<Reserved> {
    const { catalogue, counter, ledger } = this.parts;
    const route = catalogue.route(call.models);
    const bound = boundCall(call, route, counter, this.parts.outputLimit.tokens);
    const nowMs = Date.now();
    const reservationId = uuidv7(nowMs);
    const deadlineMs = nowMs + this.limits.reserveTimeoutMs;
    const timing = { reservationId, nowMs, deadlineMs };
    const request = toCompletionRequested(call, caller, route, bound, timing);
    const reply = await ledger.reserve(caller.accountId, request);
    if (typeof reply === 'object' && reply.status === 'accepted') {
      return this.reserved(call, caller, route, bound, reply);
    }
    if (reply === 'unanswered') {
      // It may have been carried out, or still be.
      const { accountId } = caller;
      const abandoned = { ...bound, reservationId, accountId, candidates: [], deadlineMs };
      this.parts.recovery.abandon(abandoned);
    } else {
      this.parts.journal.end(reservationId);
    }
    if (typeof reply === 'object') throw toHttpRefusal(reply);
    throw unavailable('The ledger did not answer.', 'ledger_timeout');
  }

  private reserved(
    call: ChatCall,
    caller: Caller,
    route: readonly Candidate[],
    bound: CallBound,
    reply: ReserveAccepted,
  ): Reserved {
    return {
      call,
      caller,
      route,
      bound,
      reservationId: reply.reservationId,
      accountId: caller.accountId,
      correlationId: call.correlationId,
      outputTokens: reply.outputTokens ?? bound.outputTokens,
    };
  }

  private async carryOut(reserved: Reserved, client: ClientReply): Promise<void> {
    const { endings } = this.parts;
    if (client.gone) {
      await endings.release(reserved, 'cancelled');
      return;
    }
    const attempts: Attempt[] = [];
    let failure: RefusalFields | undefined;
    for (const [index, candidate] of reserved.route.entries()) {
      const tried = await this.attempt(reserved, index, candidate, client);
      if (!tried) {
        await endings.release(reserved, 'failed', attempts);
        throw unavailable('The gateway cannot write its records.', 'not_ready', 5);
      }
      const { outcome, answer } = tried;
      attempts.push(outcome.attempt);
      if (!outcome.unbilled) {
        await this.settle(reserved, attempts, { outcome, answer, candidate, client });
        return;
      }
      failure = outcome.failure;
    }
    await endings.release(reserved, 'failed', attempts);
    this.published(reserved, attempts, failure?.code ?? 'failed');
    if (failure) throw new HttpRefusal(failure);
  }

  /** Undefined where the call could not be noted, and so was not made. */
  private async attempt(
    reserved: Reserved,
    index: number,
    candidate: Candidate,
    client: ClientReply,
  ): Promise<{ outcome: Outcome; answer: Answer } | undefined> {
    const { call, reservationId, outputTokens, bound } = reserved;
    try {
      await this.parts.journal.dispatched(reservationId, index, outputTokens);
    } catch {
      return undefined;
    }
    const stream = call.stream ? { usageAsked: call.usageAsked } : undefined;
    const answer = new Answer(client, stream, replyHeaders(reserved, candidate));
    const body = toUpstreamBody(call, candidate, outputTokens);
    const end = await candidate.vendor.send(body, reservationId, answer);
    if (answer.relay) client.write(answer.relay.finish());
    const { counter } = this.parts;
    return { answer, outcome: judge(end, answer, { candidate, bound, outputTokens, counter }) };
  }

  private async settle(
    reserved: Reserved,
    attempts: Attempt[],
    made: { outcome: Outcome; answer: Answer; candidate: Candidate; client: ClientReply },
  ): Promise<void> {
    const { outcome, answer, candidate, client } = made;
    const { attempt, failure } = outcome;
    if (outcome.suspicious) {
      const { reservationId } = reserved;
      this.parts.logger.warn({ reservationId, attempt }, 'a vendor reported odd usage');
    }
    const charge = await this.parts.endings.settle(reserved, attempts);
    if (answer.relay) {
      const { usageAsked } = reserved.call;
      client.end(toStreamEnd(answer.relay.summary, charge, attempt, { usageAsked, failure }));
    } else if (outcome.body) {
      const headers = replyHeaders(reserved, candidate);
      client.sendJson(200, headers, toChargedBody(outcome.body, charge, attempt));
    }
    this.parts.events.ended(reserved, attempt, charge, failure?.code ?? undefined);
    if (failure && !answer.relay) {
      throw new HttpRefusal({ ...failure, extra: { ...chargeFields(charge, attempt) } });
    }
  }

  private published(reserved: Reserved, attempts: Attempt[], failure: string): void {
    const last = attempts.at(-1);
    if (last) this.parts.events.ended(reserved, last, undefined, failure);
  }
}

const replyHeaders = (reserved: Reserved, candidate: Candidate): string[] => [
  'x-request-id',
  reserved.reservationId,
  'x-toll-vendor',
  candidate.vendor.name,
  'x-toll-max-tokens',
  String(reserved.outputTokens),
  'x-toll-input-bound',
  String(reserved.bound.inputTokens),
];

/** What the journal notes of a reserve that is about to leave. */
export const toInFlightCall = (accountId: string, body: unknown): InFlightCall => {
  const request = body as ReturnType<typeof toCompletionRequested>;
  return {
    reservationId: request.commandId ?? '',
    accountId,
    candidates: request.candidates,
    inputTokens: request.bounds.inputTokens,
    outputTokens: request.bounds.outputTokens,
    choices: request.bounds.choices ?? 1,
    deadlineMs: Date.parse(request.deadlineAt ?? ''),
  };
};
