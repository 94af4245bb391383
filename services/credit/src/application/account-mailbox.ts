import {
  creditStream,
  eventHash,
  toStored,
  UndecodableEventError,
  type CreditAccountEvent,
  type EventMetadata,
  type StoredEvent,
} from '@tollkeeper/events';
import {
  AppendTooLargeError,
  InvalidEventError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  StoreUnavailableError,
  type EventStore,
} from '@tollkeeper/event-store';
import { uuidv7 } from '@tollkeeper/kernel';
import type { PriceBook } from '@tollkeeper/pricing';
import type { Logger } from '@tollkeeper/telemetry';
import type { CreditCommand } from '../domain/credit-account/commands.js';
import { decide } from '../domain/credit-account/decide.js';
import { CorruptStreamError, evolve } from '../domain/credit-account/evolve.js';
import { forgetClosed } from '../domain/credit-account/memory.js';
import { toSnapshot } from '../domain/credit-account/snapshot.js';
import type { DecisionContext } from '../domain/credit-account/context.js';
import { followUps } from '../domain/credit-account/follow-ups.js';
import type { AccountRules } from '../domain/credit-account/rules.js';
import type { CreditAccount } from '../domain/credit-account/state.js';
import type { Verdict } from '../domain/credit-account/verdict.js';
import type { Clock } from './clock.js';
import { loadAccount, type LoadedAccount } from './load-account.js';
import { RateLimits } from './rate-limits.js';
import { Recollection, type Consultation, type Remembering } from './recollection.js';
import type { AccountSnapshot } from './snapshots.js';
import type { Admit, Outcome, ServiceRefusal, Submission } from './submission.js';

export interface MailboxDependencies {
  readonly store: EventStore;
  readonly prices: PriceBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rules: AccountRules;
  readonly reservationTtlMs: number;
  /** Absent: an account remembers everything for as long as it is in memory. */
  readonly remembering?: Remembering;
}

type Loaded = LoadedAccount;

interface Decided {
  readonly submission: Submission;
  readonly outcome: Outcome;
}

/** Decided together, stored together, answered together. */
interface Batch {
  readonly events: readonly StoredEvent[];
  readonly decided: readonly Decided[];
  readonly taken: readonly Submission[];
  /** The state after this batch, when one is due. */
  readonly snapshot: AccountSnapshot | undefined;
}

type Revision = LoadedAccount['revision'];

interface Times {
  /** Of what is stored: never runs backwards in a stream, whatever the wall clock does. */
  readonly at: Date;
  /** The wall clock's, which the callers' deadlines go by: a clock that was ahead for a moment must not make them late. */
  readonly nowMs: number;
}

interface Turn {
  flight: { readonly batch: Batch; readonly stored: Promise<Revision | 'conflict'> } | undefined;
  /** Decided on the assumption that the flight lands; thrown away if it does not. */
  next: Batch | undefined;
}

/** Half of what KurrentDB takes in one append. */
const batchBytesMax = 512 * 1024;
/** Short enough that the next batch is decided, and the last one's callers act, while one is being stored. */
const batchCommandsMax = 128;
const retryFirstMs = 50;
const retryMaxMs = 500;
const parkedMs = 30_000;
/** An append that is still without an answer is told again so late, and then each time that it has waited twice as long. */
const toldAgainMs = 60_000;

/**
 * One account's single writer: one append in flight, and what comes in meanwhile is decided together against the
 * evolving state and appended when it returns. No outcome leaves before every event that its decision saw
 * is stored; after an append of unknown outcome nothing more is decided until the store has said what became of it.
 * Nor does any leave before the store has said that nobody else wrote in between: an append says so by its expected
 * revision, and where nothing is appended (a refusal, a repetition, a look) the store is asked. So whoever else may
 * take this account for its own, a refusal is never decided on a state that has passed.
 */
export class AccountMailbox {
  private loaded: Loaded | undefined;
  private parkedUntilMs = 0;
  /** Settle, release, grant: never shed, and first. */
  private readonly urgent: Submission[] = [];
  private readonly ordinary: Submission[] = [];
  private readonly rates = new RateLimits();
  private running = false;
  private readonly recollection: Recollection;
  private snapshotRevision = -1;
  private snapshotAtMs = 0;
  private counted = 0;
  /** So many commands are decided and stored one by one: the store would not take an event of one of them. */
  private oneByOne = 0;

  constructor(
    readonly accountId: string,
    private readonly with_: MailboxDependencies,
    /** Told by how much `entries` has changed. */
    private onResized: (by: number) => void = ignore,
  ) {
    this.recollection = new Recollection(with_.remembering?.recall, (submission) => {
      this.putBack([submission]);
      this.wake();
    });
  }

  get waiting(): number {
    return this.queued + this.recollection.waiting;
  }

  /** What the account takes of memory: reservations and grants, about 1 kB each. */
  get entries(): number {
    return this.counted;
  }

  /** Another mailbox may take the account over: nobody counts what this one holds any more. */
  retire(): void {
    this.onResized = ignore;
  }

  private get queued(): number {
    return this.urgent.length + this.ordinary.length;
  }

  get idle(): boolean {
    return !this.running && this.waiting === 0;
  }

  submit(submission: Submission): void {
    (submission.urgent ? this.urgent : this.ordinary).push(submission);
    this.wake();
  }

  /** Of an idle account that is about to leave memory; undefined when reading it again is cheap as it is. */
  lastSnapshot(): AccountSnapshot | undefined {
    const rule = this.with_.remembering?.snapshots.rule;
    if (!rule || !this.idle || !this.loaded) return undefined;
    const { account, lastHash } = this.loaded;
    if (account.revision - this.snapshotRevision < rule.lastEventsMin) return undefined;
    this.snapshotRevision = account.revision;
    return { revision: account.revision, lastHash, state: toSnapshot(account) };
  }

  private wake(): void {
    if (this.running) return;
    this.running = true;
    // A microtask later, so that commands which arrive in one message are decided together.
    queueMicrotask(() => void this.run());
  }

  private async run(): Promise<void> {
    const turn: Turn = { flight: undefined, next: undefined };
    while (this.queued > 0 || turn.flight || turn.next) {
      try {
        await this.step(turn);
      } catch (error) {
        const { flight } = turn;
        this.takeBack(turn);
        if (flight && isFaultOfAnEvent(error)) this.findCulprit(flight.batch.taken, error);
        // Whatever else is thrown here is a bug or a broken store: nothing was answered, all may be retried.
        else this.fail(error);
      }
      this.count();
    }
    this.running = false;
  }

  /** Decides what waits while the last append is in flight, then stores it and answers. */
  private async step(turn: Turn): Promise<void> {
    const loaded = (this.loaded ??= await this.load());
    // The append's bytes leave before the next decisions take the processor.
    if (turn.flight && this.queued > 0) await nextTurn();
    turn.next ??= this.queued > 0 ? this.decideWaiting(loaded) : undefined;
    if (turn.flight) {
      const stored = await turn.flight.stored;
      if (stored === 'conflict') {
        // Another writer was faster: what was decided on the old state is decided anew.
        this.takeBack(turn);
        return;
      }
      loaded.revision = stored;
      answer(turn.flight.batch);
      this.rates.stored(turn.flight.batch.taken);
      this.offer(turn.flight.batch.snapshot);
      turn.flight = undefined;
    }
    if (!turn.next) return;
    const stored =
      turn.next.events.length === 0
        ? this.confirm(loaded.revision)
        : this.appendUntilKnown(loaded.revision, turn.next.events);
    // Awaited in the next step; a failure in between must not end the process.
    stored.catch(() => undefined);
    turn.flight = { batch: turn.next, stored };
    turn.next = undefined;
  }

  /** Nothing of a batch was stored, for the sake of one command's event: that one is refused, and nobody beside it. */
  private findCulprit(taken: readonly Submission[], error: unknown): void {
    const [culprit] = taken;
    if (taken.length > 1 || !culprit) {
      this.oneByOne = taken.length;
      return;
    }
    const { accountId, with_ } = this;
    const commandId = culprit.command?.commandId;
    with_.logger.error({ err: error, accountId, commandId }, 'a command cannot be stored');
    this.rates.stored(taken);
    const queue = culprit.urgent ? this.urgent : this.ordinary;
    queue.splice(queue.indexOf(culprit), 1);
    culprit.resolve(unstorable);
  }

  /** Puts undone commands back in their order and forgets the state that they were decided on. */
  private takeBack(turn: Turn): void {
    this.loaded = undefined;
    this.putBack([...(turn.flight?.batch.taken ?? []), ...(turn.next?.taken ?? [])]);
    turn.flight = undefined;
    turn.next = undefined;
  }

  /** At the head of the queues, in this order. */
  private putBack(submissions: readonly Submission[]): void {
    for (const submission of submissions.toReversed()) {
      (submission.urgent ? this.urgent : this.ordinary).unshift(submission);
    }
  }

  private decideWaiting(loaded: Loaded): Batch {
    const events: StoredEvent[] = [];
    const decided: Decided[] = [];
    const taken: Submission[] = [];
    let bytes = 0;
    const when = this.timesOf(loaded.account);
    const commandsMax = this.oneByOne > 0 ? 1 : batchCommandsMax;
    try {
      while (bytes < batchBytesMax && taken.length < commandsMax) {
        const submission = this.urgent.shift() ?? this.ordinary.shift();
        if (!submission) break;
        taken.push(submission);
        const consulted = this.recollection.consult(submission, loaded.account);
        if (consulted === 'wait') {
          taken.pop();
          continue;
        }
        if (consulted !== 'decide') {
          decided.push({ submission, outcome: undecidable[consulted] });
          continue;
        }
        const outcome = this.carryOut(submission, loaded, when, (event) => {
          events.push(event);
          bytes += event.data.length + event.metadata.length + 100;
        });
        decided.push({ submission, outcome });
      }
    } catch (error) {
      this.urgent.unshift(...taken);
      throw error;
    }
    if (this.oneByOne > 0) this.oneByOne -= 1;
    const { remembering } = this.with_;
    if (remembering) forgetClosed(loaded.account, when.at.getTime(), remembering.rule);
    return { events, decided, taken, snapshot: this.dueSnapshot(loaded) };
  }

  /** Made between two decisions, when state and hash are of the same event; written when that event is stored. */
  private dueSnapshot({ account, lastHash }: Loaded): AccountSnapshot | undefined {
    const rule = this.with_.remembering?.snapshots.rule;
    if (!rule || account.revision - this.snapshotRevision < rule.eventsMin) return undefined;
    const nowMs = this.with_.clock.now().getTime();
    // Also of a clock that was put back: else none would be made until it has caught up.
    if (Math.abs(nowMs - this.snapshotAtMs) < rule.everyMs) return undefined;
    this.snapshotAtMs = nowMs;
    this.snapshotRevision = account.revision;
    return { revision: account.revision, lastHash, state: toSnapshot(account) };
  }

  private offer(snapshot: AccountSnapshot | undefined): void {
    if (snapshot) this.with_.remembering?.snapshots.offer(this.accountId, snapshot);
  }

  private count(): void {
    const account = this.loaded?.account;
    const entries = account ? account.reservations.size + account.grants.length + 1 : 0;
    if (entries === this.counted) return;
    const by = entries - this.counted;
    this.counted = entries;
    this.onResized(by);
  }

  private carryOut(
    submission: Submission,
    loaded: Loaded,
    { at, nowMs }: Times,
    store: (event: StoredEvent) => void,
  ): Outcome {
    const { account } = loaded;
    if (submission.deadlineAtMs !== undefined && nowMs > submission.deadlineAtMs) {
      return refused('too-late', 'the command was taken up after its deadline', false);
    }
    const { command } = submission;
    const context = this.contextAt(at);
    const admit: Admit = (asked) => this.rates.admit(asked, account, nowMs);
    if (command) {
      const admission = admit(command);
      if ('refusal' in admission) return { type: 'refused', refusal: admission.refusal };
      const verdict = this.decideOne(admission.command, account, context);
      // Retryable, so that a settle which meets a bug of ours stays in its spool until that is mended.
      if (!verdict) return refused('internal', 'the decision failed; nothing was changed', true);
      if (verdict.type === 'refuse') return { type: 'refused', refusal: verdict.refusal };
      for (let events = verdict.events; events.length > 0; events = followUps(account, context)) {
        for (const event of events) {
          const { stored, metadata } = envelope(event, command, submission, loaded.lastHash, at);
          evolve(account, event, metadata);
          loaded.lastHash = eventHash(stored);
          store(stored);
        }
      }
      if (verdict.events.length > 0) this.rates.count(command, account, nowMs);
    } else {
      return this.look(submission, account, context, admit);
    }
    return { type: 'accepted', answer: submission.answer(account, at, context, admit) };
  }

  /** Nothing is stored, and like a decision that fails it must not fail its neighbours. */
  private look(
    submission: Submission,
    account: CreditAccount,
    context: DecisionContext,
    admit: Admit,
  ): Outcome {
    if (!account.opened && !submission.seesUnopened) {
      return refused('unknown-account', `no account ${account.accountId}`, false);
    }
    try {
      return { type: 'accepted', answer: submission.answer(account, context.at, context, admit) };
    } catch (error) {
      this.with_.logger.error({ err: error, accountId: this.accountId }, 'a look failed');
      return refused('internal', 'the look at the account failed', true);
    }
  }

  private contextAt(at: Date): DecisionContext {
    const { prices, rules, reservationTtlMs } = this.with_;
    return { at, prices, rules, reservationTtlMs };
  }

  private decideOne(
    command: CreditCommand,
    account: CreditAccount,
    context: DecisionContext,
  ): Verdict | undefined {
    try {
      return decide(command, account, context);
    } catch (error) {
      // A bug in one decision must not fail its neighbours in the batch: nothing has changed yet.
      this.with_.logger.error({ err: error, commandId: command.commandId }, 'a decision failed');
      return undefined;
    }
  }

  /** Whether the stream still ends where the decisions took it to end. */
  private async confirm(revision: Revision): Promise<Revision | 'conflict'> {
    const stream = creditStream(this.accountId);
    const actual = (await this.with_.store.lastRevision(stream)) ?? 'no-stream';
    if (actual === revision) return revision;
    this.with_.logger.warn({ stream, revision, actual }, 'decided on a state that has passed');
    return 'conflict';
  }

  /** Retries an append of unknown outcome by the same ids at the same revision until the store says. */
  private async appendUntilKnown(
    expected: number | 'no-stream',
    events: readonly StoredEvent[],
  ): Promise<number | 'conflict'> {
    const stream = creditStream(this.accountId);
    const begunAtMs = performance.now();
    let tellAfterMs = 0;
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
        // Seldom: with thousands of accounts waiting, every try of a long outage would be a flood.
        const waitedMs = Math.round(performance.now() - begunAtMs);
        if (waitedMs >= tellAfterMs) {
          this.with_.logger.warn(
            { stream, err: error, waitedMs },
            'append outcome unknown, retrying',
          );
          tellAfterMs = Math.max(toldAgainMs, 2 * waitedMs);
        }
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  private async load(): Promise<Loaded> {
    const parkedForMs = this.parkedUntilMs - this.with_.clock.now().getTime();
    // Longer than it was parked for: the clock was put back.
    if (parkedForMs > 0 && parkedForMs <= parkedMs) throw new ParkedError(this.accountId);
    const { store, logger, remembering } = this.with_;
    const loaded = await loadAccount(this.accountId, { store, logger, remembering });
    this.snapshotRevision = loaded.snapshotRevision;
    return loaded;
  }

  private timesOf(account: CreditAccount): Times {
    const nowMs = this.with_.clock.now().getTime();
    return { at: new Date(Math.max(nowMs, account.lastEventAtMs)), nowMs };
  }

  /** Nothing was decided: everyone who waits is told, and may retry with the same ids. */
  private fail(error: unknown): void {
    this.rates.failed();
    const { accountId, with_ } = this;
    const unreadable =
      error instanceof UndecodableEventError || error instanceof CorruptStreamError;
    const parked = unreadable || error instanceof ParkedError;
    if (unreadable) {
      with_.logger.error({ err: error, accountId }, 'ACCOUNT_PARKED');
      this.parkedUntilMs = with_.clock.now().getTime() + parkedMs;
    } else if (!parked) {
      with_.logger.error({ err: error, accountId }, 'commands failed');
    }
    const outcome = parked
      ? refused('account-parked', 'the stored events of this account cannot be read', true)
      : refused('store-unavailable', 'the event store failed; retry with the same id', true);
    for (const submission of [...this.urgent.splice(0), ...this.ordinary.splice(0)]) {
      submission.resolve(outcome);
    }
  }
}

const ignore = (): void => undefined;

/** Its events could not be read a moment ago: they are not read again for each command. */
class ParkedError extends Error {
  override readonly name = 'ParkedError';
}

/** The store will never take this append, whoever sends it however often. */
const isFaultOfAnEvent = (error: unknown): boolean =>
  error instanceof AppendTooLargeError || error instanceof InvalidEventError;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const refused = (
  reason: ServiceRefusal['reason'],
  message: string,
  retryable: boolean,
): Outcome => ({ type: 'refused', refusal: { reason, message, retryable } });

const unstorable = refused('invalid-request', 'what the command asks for cannot be stored', false);

const undecidable: Readonly<Record<Exclude<Consultation, 'decide' | 'wait'>, Outcome>> = {
  behind: refused(
    'index-behind',
    'the index of older reservations cannot tell yet; retry with the same id',
    true,
  ),
  broken: refused('internal', 'the index of older reservations is broken', true),
};

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
  const stored = toStored(uuidv7(at.getTime()), event, metadata);
  return { stored, metadata };
};

const answer = (batch: Batch): void => {
  for (const { submission, outcome } of batch.decided) submission.resolve(outcome);
};
