import { dueReply, projectionSubjects, type DueItem, type DueReply } from '@tollkeeper/contracts';
import { commandHashOf } from '@tollkeeper/events';
import { canonicalJson, messageOf, uuidv7 } from '@tollkeeper/kernel';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { Logger } from '@tollkeeper/telemetry';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import type { Clock } from './clock.js';
import type { CreditAccounts } from './credit-accounts.js';

const listTimeoutMs = 5_000;
const pageLength = 1_000;
/** Of one round; the next one goes on where this one stopped. */
const pagesMax = 10;
/** For the accounts of one page; those that take longer are not waited for. */
const pageTimeoutMs = 2_000;
/** So many of them, and the store is away: what else is due waits, or it would fill the memory. */
const busyAccountsMax = 1_000;

/** A page of what is due: the longest overdue first, from after an item on. */
export type DueList = (page: {
  readonly at: string;
  readonly limit: number;
  readonly after?: DueItem;
}) => Promise<DueReply>;

export const dueListOf =
  (nats: NatsConnection): DueList =>
  async (page) =>
    dueReply.parse(await request(nats, projectionSubjects.due, page, { timeoutMs: listTimeoutMs }));

const commandFor = ({ kind, id }: DueItem, at: Date): CreditCommand => {
  const commandId = uuidv7(at.getTime());
  const commandHash = commandHashOf(canonicalJson({ type: 'Due', kind, id }));
  switch (kind) {
    case 'reservation':
      return {
        type: 'Release',
        commandId,
        commandHash,
        reservationId: id,
        reason: 'expired',
        attempts: [],
      };
    case 'grant':
      return { type: 'ExpireGrant', commandId, commandHash, grantId: id };
    case 'recurring':
      return { type: 'PostRecurringGrant', commandId, commandHash, recurringId: id };
  }
};

/**
 * Does what accounts have to do at a time, also those that nobody touches. The projection's list is a hint: the account's
 * own state decides, so a list that lags or repeats does no harm. Each round goes on where the one before
 * stopped, so that work which an account refuses for good keeps nobody else's waiting. Nor does an account whose append is
 * not answered: it is left to itself, and given nothing more until it has answered what it has.
 */
export class CarryOutDue {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private alarmed = false;
  private after: DueItem | undefined;
  private readonly busy = new Set<string>();

  constructor(
    private readonly list: DueList,
    private readonly accounts: Pick<CreditAccounts, 'submit'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly everyMs = 5_000,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.running ??= this.once().finally(() => (this.running = undefined));
    }, this.everyMs);
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
      let done = 0;
      for (let page = 0; page < pagesMax && this.busy.size < busyAccountsMax; page += 1) {
        const { due, next } = await this.list({
          at: at.toISOString(),
          limit: pageLength,
          ...(this.after ? { after: this.after } : {}),
        });
        await this.carryOutPage(due, at, () => (done += 1));
        this.after = next ?? undefined;
        if (!next) break;
      }
      if (done > 0) this.logger.info({ done }, 'carried out what was due');
    } catch (error) {
      this.logger.warn({ reason: messageOf(error) }, 'no list of what is due');
    }
  }

  private async carryOutPage(due: readonly DueItem[], at: Date, onDone: () => void): Promise<void> {
    const byAccount = new Map<string, DueItem[]>();
    for (const item of due) {
      if (this.busy.has(item.accountId)) continue;
      const items = byAccount.get(item.accountId);
      if (items) items.push(item);
      else byAccount.set(item.accountId, [item]);
    }
    const work = [...byAccount].map(async ([accountId, items]) => {
      this.busy.add(accountId);
      try {
        await Promise.all(
          items.map(async (item) => {
            if (await this.carryOut(item, at)) onDone();
          }),
        );
      } finally {
        this.busy.delete(accountId);
      }
    });
    await inTime(Promise.all(work));
  }

  private async carryOut(item: DueItem, at: Date): Promise<boolean> {
    const outcome = await this.accounts.submit(item.accountId, {
      command: commandFor(item, at),
      urgent: true,
      deadlineAtMs: undefined,
      correlationId: item.id,
      causationId: undefined,
      actor: 'credit',
      answer: () => ({}),
    });
    return outcome.type === 'accepted';
  }
}

const inTime = async (work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, pageTimeoutMs)));
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
