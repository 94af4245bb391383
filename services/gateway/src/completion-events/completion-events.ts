import { completionSubjects, type Attempt, type CompletionEnded } from '@tollkeeper/contracts';
import type { Caller } from '../identity/api-key.store.js';
import type { Charge } from '../ledger/endings.js';
import type { Reservation } from '../ledger/ledger.js';

/** Publishes without waiting for anything. */
export type Publish = (subject: string, body: string) => void;

const gatherMs = 25;

interface Ended extends Reservation {
  readonly caller: Caller;
}

/**
 * `CompletionCompleted` and `CompletionFailed` for other services. Nothing depends on them: beyond so many a second
 * they are left out and counted, because the ledger's own events tell the same.
 */
export class CompletionEvents {
  private second = 0;
  private inSecond = 0;
  private skippedCount = 0;
  private gathered: [subject: string, body: string][] = [];

  constructor(
    private readonly publish: Publish,
    private readonly perSecondMax: number,
  ) {}

  get skipped(): number {
    return this.skippedCount;
  }

  ended(of: Ended, attempt: Attempt, charge: Charge, failure: string | undefined): void {
    const now = Date.now();
    if (!this.mayPublish(now)) return;
    const event: CompletionEnded = {
      requestId: of.correlationId ?? of.reservationId,
      reservationId: of.reservationId,
      accountId: of.accountId,
      userId: of.caller.userId,
      provider: attempt.provider,
      model: attempt.model,
      ...(attempt.provenance === undefined ? {} : { provenance: attempt.provenance }),
      ...(charge ? { chargeCredits: charge.chargeCredits, costUsd: charge.costUsd } : {}),
      ...(failure === undefined ? {} : { failure }),
      endedAt: new Date(now).toISOString(),
    };
    const subject =
      failure === undefined ? completionSubjects.completed : completionSubjects.failed;
    this.gathered.push([subject(of.accountId), JSON.stringify(event)]);
    if (this.gathered.length === 1) setTimeout(() => this.flush(), gatherMs).unref();
  }

  /** Together, because each turn of the event loop that publishes costs a write. */
  flush(): void {
    const events = this.gathered;
    this.gathered = [];
    for (const [subject, body] of events) {
      try {
        this.publish(subject, body);
      } catch {
        this.skippedCount++;
      }
    }
  }

  private mayPublish(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    if (this.inSecond < this.perSecondMax) {
      this.inSecond++;
      return true;
    }
    this.skippedCount++;
    return false;
  }
}
