import { messageOf } from '@tollkeeper/kernel';
import type { Logger } from '@tollkeeper/telemetry';
import type { InFlightJournal } from '../in-flight/in-flight-journal.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Spool, SpoolRecord } from './spool.js';

const firstDelayMs = 250;
const delayMaxMs = 30_000;
const replyTimeoutMs = 5_000;
const atOnce = 64;

/** Sends what is spooled until the ledger has it, by the same ids, with growing pauses while it has not. */
export class SpoolDrain {
  private timer: NodeJS.Timeout | undefined;
  private delayMs = firstDelayMs;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly spool: Spool,
    private readonly ledger: Ledger,
    private readonly journal: InFlightJournal,
    private readonly logger: Logger,
  ) {}

  start(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.pass().finally(() => this.start());
    }, this.delayMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async pass(): Promise<void> {
    try {
      if (this.spool.broken !== undefined) await this.spool.probe();
      const before = this.spool.size;
      const records = this.spool.records();
      let reached = true;
      for (let at = 0; at < records.length && reached && !this.stopped; at += atOnce) {
        const sent = records.slice(at, at + atOnce).map((record) => this.send(record));
        reached = (await Promise.all(sent)).every(Boolean);
      }
      this.delayMs = reached ? firstDelayMs : Math.min(this.delayMs * 2, delayMaxMs);
      if (before > 0) this.logger.info({ before, left: this.spool.size }, 'spool drained');
    } catch (error) {
      this.delayMs = Math.min(this.delayMs * 2, delayMaxMs);
      this.logger.error({ cause: messageOf(error) }, 'the spool could not be drained');
    }
  }

  /** False where the ledger cannot be reached or cannot take it now. */
  private async send(record: SpoolRecord): Promise<boolean> {
    const reply = await this.ledger.end(record.ending, replyTimeoutMs);
    if (reply.kind === 'accepted') {
      await this.spool.drained(record);
      this.journal.end(record.ending.body.reservationId);
      return true;
    }
    if (reply.kind === 'no-reply' || reply.refused.retryable) return false;
    this.logger.error(
      { ending: record.ending, cause: reply.refused },
      'CRITICAL_BILLING_ERROR: the ledger refused a spooled record',
    );
    await this.spool.reject(record, reply.refused.reason);
    this.journal.end(record.ending.body.reservationId);
    return true;
  }
}
