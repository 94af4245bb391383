import { dueReply, projectionSubjects } from '@tollkeeper/contracts';
import { commandHashOf } from '@tollkeeper/events';
import { canonicalJson, messageOf, uuidv7 } from '@tollkeeper/kernel';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import type { Clock } from './clock.js';
import type { CreditAccounts } from './credit-accounts.js';

const everyMs = 5_000;

/**
 * Expires reservations that are past their time, also on accounts that nobody touches. The
 * projection's list is a hint: the account's own state decides, so a list that lags or repeats does no harm.
 */
export class ExpireReservations {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private alarmed = false;

  constructor(
    private readonly nats: NatsConnection,
    private readonly accounts: CreditAccounts,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.running ??= this.once().finally(() => (this.running = undefined));
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  async once(): Promise<void> {
    if (!this.clock.isSteady()) {
      if (!this.alarmed)
        this.logger.error('CLOCK_DRIFT: wall and monotonic clock parted; expiry pauses');
      this.alarmed = true;
      return;
    }
    this.alarmed = false;
    const at = this.clock.now();
    try {
      const body = { at: at.toISOString() };
      const reply = await request(this.nats, projectionSubjects.dueReservations, body, {
        timeoutMs: everyMs,
      });
      const { due } = dueReply.parse(reply);
      await Promise.all(due.map((each) => this.expire(each.accountId, each.reservationId, at)));
      if (due.length > 0) this.logger.info({ due: due.length }, 'expired reservations');
    } catch (error) {
      this.logger.warn({ reason: messageOf(error) }, 'no list of due reservations');
    }
  }

  private async expire(accountId: string, reservationId: string, at: Date): Promise<void> {
    const fields = { type: 'Expire', reservationId };
    await this.accounts.submit(accountId, {
      command: {
        type: 'Release',
        commandId: uuidv7(at.getTime()),
        commandHash: commandHashOf(canonicalJson(fields)),
        reservationId,
        reason: 'expired',
        attempts: [],
      },
      urgent: true,
      deadlineAtMs: undefined,
      correlationId: reservationId,
      causationId: undefined,
      actor: 'credit',
      answer: () => ({}),
    });
  }
}
