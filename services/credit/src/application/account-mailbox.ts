import {
  creditStream,
  eventHash,
  fromStoredCredit,
  genesisHash,
  UndecodableEventError,
  type CreditAccountEvent,
  type EventMetadata,
  type StoredEvent,
} from '@tollkeeper/events';
import {
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  StoreUnavailableError,
  type EventStore,
} from '@tollkeeper/event-store';
import { messageOf, uuidv7 } from '@tollkeeper/kernel';
import type { PriceBook } from '@tollkeeper/pricing';
import type { Logger } from '@tollkeeper/telemetry';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import { decide } from '../domain/credit-account/decide.js';
import { CorruptStreamError, evolve } from '../domain/credit-account/evolve.js';
import { newAccount, type CreditAccount } from '../domain/credit-account/state.js';
import { refuse, type Refusal, type Verdict } from '../domain/credit-account/verdict.js';
import type { Clock } from './clock.js';
import type { Outcome, Submission } from './submission.js';

export interface MailboxDependencies {
  readonly store: EventStore;
  readonly prices: PriceBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reservationTtlMs: number;
}

/** An account in memory, as of the last event that the store has confirmed. */
interface Loaded {
  readonly account: CreditAccount;
  revision: number | 'no-stream';
  lastHash: string;
}

interface Decided {
  readonly submission: Submission;
  readonly outcome: Outcome;
}

/** Half of what KurrentDB takes in one append. */
const batchBytesMax = 512 * 1024;
const batchCommandsMax = 512;
const retryFirstMs = 50;
const retryMaxMs = 2_000;
const parkedMs = 30_000;

/**
 * One account's single writer: everything that came in while the last append was in flight is decided
 * together against the evolving state and appended at once. No outcome leaves before every event that its
 * decision saw is stored.
 */
export class AccountMailbox {
  private loaded: Loaded | undefined;
  private parkedUntilMs = 0;
  /** Settle, release, grant: never shed, and first. */
  private readonly urgent: Submission[] = [];
  private readonly ordinary: Submission[] = [];
  private running = false;

  constructor(
    readonly accountId: string,
    private readonly with_: MailboxDependencies,
  ) {}

  get waiting(): number {
    return this.urgent.length + this.ordinary.length;
  }

  get idle(): boolean {
    return !this.running && this.waiting === 0;
  }

  submit(submission: Submission): void {
    (submission.urgent ? this.urgent : this.ordinary).push(submission);
    if (this.running) return;
    this.running = true;
    // A microtask later, so that commands which arrive in one message are decided together.
    queueMicrotask(() => void this.run());
  }

  private async run(): Promise<void> {
    while (this.waiting > 0) {
      try {
        await this.turn();
      } catch (error) {
        this.loaded = undefined;
        this.fail(error);
      }
    }
    this.running = false;
  }

  /** Decides what waits, stores it, answers. */
  private async turn(): Promise<void> {
    const loaded = (this.loaded ??= await this.load());
    const taken: Submission[] = [];
    try {
      await this.decideAndStore(loaded, taken);
    } catch (error) {
      // Whatever is thrown here is a bug or a broken store: nothing was answered, all may be retried.
      this.urgent.unshift(...taken);
      throw error;
    }
  }

  private async decideAndStore(loaded: Loaded, taken: Submission[]): Promise<void> {
    const { events, decided } = this.decideWaiting(loaded, taken);
    if (events.length > 0) {
      const stored = await this.appendUntilKnown(loaded.revision, events);
      if (stored === 'conflict') {
        // Another writer was faster: what was decided on the old state is decided anew.
        this.loaded = undefined;
        for (const submission of taken.reverse()) {
          (submission.urgent ? this.urgent : this.ordinary).unshift(submission);
        }
        return;
      }
      loaded.revision = stored;
    }
    for (const { submission, outcome } of decided) submission.resolve(outcome);
  }

  private decideWaiting(
    loaded: Loaded,
    taken: Submission[],
  ): { readonly events: StoredEvent[]; readonly decided: Decided[] } {
    const events: StoredEvent[] = [];
    const decided: Decided[] = [];
    let bytes = 0;
    while (bytes < batchBytesMax && taken.length < batchCommandsMax) {
      const submission = this.urgent.shift() ?? this.ordinary.shift();
      if (!submission) break;
      taken.push(submission);
      const at = this.streamTime(loaded.account);
      const outcome = this.carryOut(submission, loaded, at, (event) => {
        events.push(event);
        bytes += event.data.length + event.metadata.length + 100;
      });
      decided.push({ submission, outcome });
    }
    return { events, decided };
  }

  private carryOut(
    submission: Submission,
    loaded: Loaded,
    at: Date,
    store: (event: StoredEvent) => void,
  ): Outcome {
    const { account } = loaded;
    if (submission.deadlineAtMs !== undefined && at.getTime() > submission.deadlineAtMs) {
      return refused('too-late', 'the command was taken up after its deadline', false);
    }
    const { command } = submission;
    if (command) {
      const verdict = this.decideOne(command, account, at);
      if (verdict.type === 'refuse') return { type: 'refused', refusal: verdict.refusal };
      for (const event of verdict.events) {
        const { stored, metadata } = envelope(event, command, submission, loaded.lastHash, at);
        evolve(account, event, metadata);
        loaded.lastHash = eventHash(stored);
        store(stored);
      }
    } else if (!account.opened) {
      return refused('unknown-account', `no account ${account.accountId}`, false);
    }
    return { type: 'accepted', answer: submission.answer(account, at) };
  }

  private decideOne(command: CreditCommand, account: CreditAccount, at: Date): Verdict {
    const { prices, reservationTtlMs, logger } = this.with_;
    try {
      return decide(command, account, { at, prices, reservationTtlMs });
    } catch (error) {
      // A bug in one decision must not fail its neighbours in the batch: nothing has changed yet.
      logger.error({ err: error, commandId: command.commandId }, 'a decision failed');
      return refuse('internal', 'the decision failed; nothing was changed');
    }
  }

  /** Retries an append of unknown outcome by the same ids at the same revision until the store says. */
  private async appendUntilKnown(
    expected: number | 'no-stream',
    events: readonly StoredEvent[],
  ): Promise<number | 'conflict'> {
    const stream = creditStream(this.accountId);
    for (let waitMs = retryFirstMs; ; waitMs = Math.min(waitMs * 2, retryMaxMs)) {
      try {
        return (await this.with_.store.append(stream, expected, events)).revision;
      } catch (error) {
        if (error instanceof WrongExpectedRevisionError) {
          this.with_.logger.warn({ stream, expected, actual: error.actual }, 'append conflict');
          return 'conflict';
        }
        if (!(error instanceof UnknownOutcomeError || error instanceof StoreUnavailableError)) {
          throw error;
        }
        this.with_.logger.warn({ stream, err: error }, 'append outcome unknown, retrying');
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  private async load(): Promise<Loaded> {
    if (this.with_.clock.now().getTime() < this.parkedUntilMs) {
      throw new UndecodableEventError(`account ${this.accountId} is parked`);
    }
    const stream = creditStream(this.accountId);
    const account = newAccount(this.accountId);
    const loaded: Loaded = { account, revision: 'no-stream', lastHash: genesisHash(stream) };
    for await (const recorded of this.with_.store.read(stream)) {
      const event = fromStoredCredit(recorded);
      if (event.metadata.prevHash !== loaded.lastHash) {
        throw new CorruptStreamError(`${stream}@${String(recorded.revision)}: broken hash chain`);
      }
      evolve(account, event, event.metadata);
      loaded.revision = recorded.revision;
      loaded.lastHash = eventHash(recorded);
    }
    return loaded;
  }

  /** Time in a stream never runs backwards, whatever the wall clock does. */
  private streamTime(account: CreditAccount): Date {
    return new Date(Math.max(this.with_.clock.now().getTime(), account.lastEventAtMs));
  }

  /** Nothing was decided: everyone who waits is told, and may retry with the same ids. */
  private fail(error: unknown): void {
    const parked = error instanceof UndecodableEventError || error instanceof CorruptStreamError;
    if (parked) {
      if (this.parkedUntilMs < this.with_.clock.now().getTime()) {
        this.with_.logger.error({ err: error, accountId: this.accountId }, 'ACCOUNT_PARKED');
      }
      this.parkedUntilMs = this.with_.clock.now().getTime() + parkedMs;
    } else {
      this.with_.logger.error({ err: error, accountId: this.accountId }, 'commands failed');
    }
    const outcome = parked
      ? refused('account-parked', 'the stored events of this account cannot be read', true)
      : refused('store-unavailable', `the store failed: ${messageOf(error)}`, true);
    for (const submission of [...this.urgent.splice(0), ...this.ordinary.splice(0)]) {
      submission.resolve(outcome);
    }
  }
}

const refused = (
  reason: Refusal['reason'] | 'too-late' | 'account-parked' | 'store-unavailable',
  message: string,
  retryable: boolean,
): Outcome => ({ type: 'refused', refusal: { reason, message, retryable } });

const envelope = (
  event: CreditAccountEvent,
  command: CreditCommand,
  submission: Submission,
  prevHash: string,
  at: Date,
): { readonly stored: StoredEvent; readonly metadata: EventMetadata } => {
  const metadata: EventMetadata = {
    schemaVersion: 1,
    occurredAt: at.toISOString(),
    correlationId: submission.correlationId ?? command.commandId,
    causationId: submission.causationId ?? command.commandId,
    actor: submission.actor,
    commandId: command.commandId,
    commandHash: command.commandHash,
    prevHash,
  };
  const stored = {
    id: uuidv7(at.getTime()),
    type: event.type,
    data: JSON.stringify(event.data),
    metadata: JSON.stringify(metadata),
  };
  return { stored, metadata };
};
