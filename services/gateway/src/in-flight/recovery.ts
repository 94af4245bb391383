import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '@tollkeeper/contracts';
import type { Logger } from '@tollkeeper/telemetry';
import {
  releaseOf,
  settleOf,
  type Ending,
  type EndingReply,
  type Ledger,
} from '../ledger/ledger.js';
import type { Spool } from '../spool/spool.js';
import type { InFlightCall, InFlightJournal, OpenCall } from './in-flight-journal.js';

const atOnce = 32;
const replyTimeoutMs = 5_000;
const pauseMs = 500;
/** A reserve that is dequeued after its deadline is refused; clocks of two machines differ a little. */
const afterDeadlineMs = 2_000;

const attemptOf = (call: OpenCall): Attempt | undefined => {
  const candidate = call.dispatched === undefined ? undefined : call.candidates[call.dispatched];
  return (
    candidate && {
      provider: candidate.provider,
      model: candidate.model,
      billed: true,
      provenance: 'estimated',
      usage: { input: call.inputTokens, output: call.outputTokens * call.choices },
      failure: 'gateway-restarted',
    }
  );
};

/**
 * Ends calls whose end nobody saw: of an earlier process, or whose reserve got no answer. Being killed in the
 * middle does no harm: what is not ended is still in the journal, and every command has its one id.
 */
export class Recovery {
  private stopped = false;
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly journal: InFlightJournal,
    private readonly spool: Spool,
    private readonly ledger: Ledger,
    private readonly logger: Logger,
  ) {}

  get size(): number {
    return this.running.size;
  }

  /** Ends what the earlier process left open, in the background. */
  start(): void {
    const calls = this.journal.leftOpen.filter((call) => {
      if (!this.spool.has(call.reservationId)) return true;
      this.journal.end(call.reservationId);
      return false;
    });
    if (calls.length === 0) return;
    this.logger.warn({ calls: calls.length }, 'ending calls that an earlier process left open');
    const left = [...calls];
    const lane = async (): Promise<void> => {
      for (let call = left.shift(); call && !this.stopped; call = left.shift())
        await this.end(call);
    };
    for (let each = 0; each < Math.min(atOnce, calls.length); each++) this.run(lane());
  }

  /** For a reserve that got no answer: it may have been carried out, or still be. */
  abandon(call: InFlightCall): void {
    this.run(this.end({ ...call, dispatched: undefined }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.race([Promise.all(this.running), sleep(1_000)]);
  }

  private run(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  private async end(call: OpenCall): Promise<void> {
    const of = { ...call, correlationId: undefined };
    const attempt = attemptOf(call);
    const ending = attempt ? settleOf(of, [attempt]) : releaseOf(of, 'cancelled');
    while (!this.stopped) {
      const reply = await this.ledger.end(ending, replyTimeoutMs);
      if (this.isOver(call, ending, reply)) {
        this.journal.end(call.reservationId);
        return;
      }
      await sleep(pauseMs);
    }
  }

  private isOver(call: OpenCall, ending: Ending, reply: EndingReply): boolean {
    if (reply.kind === 'no-reply') return false;
    if (reply.kind === 'accepted') {
      this.logger.info({ ending }, 'ended a call that was left open');
      return true;
    }
    const { reason, retryable } = reply.refused;
    if (retryable) return false;
    switch (reason) {
      // The earlier process ended it and did not live to note that.
      case 'reservation-closed':
      case 'replay-mismatch':
        return true;
      // Never reserved; or not yet, while the reserve may still be on its way.
      case 'unknown-reservation':
      case 'unknown-account':
        if (ending.verb === 'release') return Date.now() > call.deadlineMs + afterDeadlineMs;
        break;
      default:
    }
    this.logger.error({ ending, refused: reply.refused }, 'CRITICAL_BILLING_ERROR');
    return true;
  }
}
