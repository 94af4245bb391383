import { setTimeout as sleep } from 'node:timers/promises';
import {
  releaseReply,
  reserveReply,
  settleReply,
  type Attempt,
  type BatchVerb,
  type CompletionRequested,
  type Refused,
  type Release,
  type ReserveReply,
  type Settle,
  type SettleAccepted,
} from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import { NoResponderError } from '@tollkeeper/messaging';
import { releaseIdOf, settleIdOf } from './command-ids.js';

/** What carries commands to the credit service; see CommandLane. */
export interface CommandSender {
  send(
    command: { readonly verb: BatchVerb; readonly accountId: string; readonly body: unknown },
    timeoutMs: number,
  ): Promise<unknown>;
}

/** Which reservation, of whom, for which request. */
export interface Reservation {
  readonly reservationId: string;
  readonly accountId: string;
  readonly correlationId: string | undefined;
}

/** The command that ends a reservation. */
export type Ending =
  | { readonly verb: 'settle'; readonly accountId: string; readonly body: Settle }
  | { readonly verb: 'release'; readonly accountId: string; readonly body: Release };

export type EndingReply =
  | { readonly kind: 'accepted'; readonly settled: SettleAccepted | undefined }
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'no-reply'; readonly cause: string };

const retryEveryMs = 200;

const correlation = ({ correlationId }: Reservation): { correlationId?: string } =>
  correlationId === undefined ? {} : { correlationId };

export const settleOf = (of: Reservation, attempts: Attempt[]): Ending => ({
  verb: 'settle',
  accountId: of.accountId,
  body: {
    commandId: settleIdOf(of.reservationId),
    ...correlation(of),
    reservationId: of.reservationId,
    attempts,
  },
});

export const releaseOf = (
  of: Reservation,
  reason: Release['reason'],
  attempts: Attempt[] = [],
): Ending => ({
  verb: 'release',
  accountId: of.accountId,
  body: {
    commandId: releaseIdOf(of.reservationId),
    ...correlation(of),
    reservationId: of.reservationId,
    reason,
    ...(attempts.length === 0 ? {} : { attempts }),
  },
});

/** The credit service as the gateway uses it. */
export class Ledger {
  constructor(
    private readonly sender: CommandSender,
    private readonly reserveTimeoutMs: number,
  ) {}

  /**
   * Sent again only where it was surely not carried out: nobody took it, or it was turned away at the door, because the
   * account moves between instances and has an owner again in a moment. So the last answer speaks for all attempts.
   * `unanswered` may have been carried out, or still be.
   */
  async reserve(
    accountId: string,
    body: CompletionRequested,
  ): Promise<ReserveReply | 'unanswered' | 'unserved'> {
    const deadline = performance.now() + this.reserveTimeoutMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      try {
        const raw = await this.sender.send({ verb: 'reserve', accountId, body }, leftMs);
        const reply = reserveReply.parse(raw);
        const moving = reply.status === 'refused' && reply.reason === 'not-owner';
        if (!moving || deadline - performance.now() <= retryEveryMs) return reply;
        await sleep(retryEveryMs);
      } catch (error) {
        if (!(error instanceof NoResponderError)) return 'unanswered';
        // The credit service may be starting.
        if (leftMs <= retryEveryMs) return 'unserved';
        await sleep(retryEveryMs);
      }
    }
  }

  /** Tries for as long as it is given; what can be retried is. Never rejects. */
  async end(ending: Ending, withinMs: number): Promise<EndingReply> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      const reply = await this.endOnce(ending, leftMs);
      const again =
        reply.kind === 'no-reply' || (reply.kind === 'refused' && reply.refused.retryable);
      if (!again || deadline - performance.now() <= retryEveryMs) return reply;
      await sleep(retryEveryMs);
    }
  }

  private async endOnce(ending: Ending, timeoutMs: number): Promise<EndingReply> {
    try {
      const raw = await this.sender.send(ending, timeoutMs);
      if (ending.verb === 'settle') {
        const reply = settleReply.parse(raw);
        if (reply.status === 'refused') return { kind: 'refused', refused: reply };
        return { kind: 'accepted', settled: reply };
      }
      const reply = releaseReply.parse(raw);
      if (reply.status === 'refused') return { kind: 'refused', refused: reply };
      return { kind: 'accepted', settled: undefined };
    } catch (error) {
      return { kind: 'no-reply', cause: messageOf(error) };
    }
  }
}
