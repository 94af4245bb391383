import type { Attempt, Release, SettleAccepted } from '@tollkeeper/contracts';
import { messageOf } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import type { InFlightJournal } from '../in-flight/in-flight-journal.js';
import type { Spool } from '../spool/spool.js';
import { releaseOf, settleOf, type Ending, type Ledger, type Reservation } from './ledger.js';

/** What a call cost; undefined while the ledger has not said so. */
export type Charge = SettleAccepted | undefined;

/** Ends reservations so that none is lost: by the ledger, else by the spool, else by the journal. */
export class Endings {
  constructor(
    private readonly ledger: Ledger,
    private readonly journal: InFlightJournal,
    private readonly spool: Spool,
    private readonly logger: Logger,
    private readonly settleTimeoutMs: number,
  ) {}

  /** Resolves when the charge is stored, or is on this disk. Never rejects. */
  async settle(of: Reservation, attempts: Attempt[]): Promise<Charge> {
    const ending = settleOf(of, attempts);
    const reply = await this.ledger.end(ending, this.settleTimeoutMs);
    if (reply.kind === 'accepted') {
      this.journal.end(of.reservationId);
      return reply.settled;
    }
    const retryable = reply.kind === 'no-reply' || reply.refused.retryable;
    const cause = reply.kind === 'no-reply' ? reply.cause : reply.refused.reason;
    this.logger.error({ ending, cause, retryable }, 'CRITICAL_BILLING_ERROR');
    await this.keep(ending, retryable, cause);
    return undefined;
  }

  /** @param attempts None that was billed. */
  async release(of: Reservation, reason: Release['reason'], attempts?: Attempt[]): Promise<void> {
    const ending = releaseOf(of, reason, attempts);
    const reply = await this.ledger.end(ending, this.settleTimeoutMs);
    if (reply.kind === 'accepted') {
      this.journal.end(of.reservationId);
      return;
    }
    const retryable = reply.kind === 'no-reply' || reply.refused.retryable;
    const cause = reply.kind === 'no-reply' ? reply.cause : reply.refused.reason;
    this.logger.warn({ ending, cause, retryable }, 'a reservation could not be released');
    await this.keep(ending, retryable, cause);
  }

  private async keep(ending: Ending, retryable: boolean, cause: string): Promise<void> {
    const record = { ending, spooledAt: new Date().toISOString() };
    try {
      if (retryable) await this.spool.add(record);
      else await this.spool.reject(record, cause);
      this.journal.end(ending.body.reservationId);
    } catch (error) {
      // The journal still has the call: the next start settles it as estimated.
      this.logger.error({ ending, cause: messageOf(error) }, 'CRITICAL_BILLING_ERROR');
    }
  }
}
