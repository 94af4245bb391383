import { setTimeout as sleep } from 'node:timers/promises';
import {
  commandHashOf,
  eventHash,
  fromStoredPriceBook,
  genesisHash,
  type StoredEvent,
} from '@tollkeeper/events';
import {
  AppendTooLargeError,
  InvalidEventError,
  StoreUnavailableError,
  UnknownOutcomeError,
  WrongExpectedRevisionError,
  type EventStore,
  type RecordedEvent,
} from '@tollkeeper/event-store';
import { canonicalJson, messageOf, uuidv7, type Json } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import type { Recorded } from '../domain/price-book/recorded.js';
import { isRefusal, type BookRefusal, type Verdict } from '../domain/price-book/verdict.js';
import { appendSurely } from './append-surely.js';
import { chainEvents } from './chain-events.js';
import type { PriceBookReplica } from './price-book-replica.js';

/** Who asks for what, under which id: recorded with every event that it brings about. */
export interface BookCommand {
  readonly commandId: string;
  /** Of who, what and all fields: a command is the same only as a whole. */
  readonly commandHash: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
}

export interface CommandEnvelope {
  readonly commandId: string | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
}

/** `fields`: the command's body without its id. */
export const bookCommand = (
  name: string,
  actor: string,
  fields: object,
  { commandId = uuidv7(), correlationId = commandId, causationId = commandId }: CommandEnvelope,
): BookCommand => ({
  commandId,
  commandHash: commandHashOf(canonicalJson({ name, actor, fields: fields as Json })),
  actor,
  correlationId,
  causationId,
});

export interface Aggregate<S> {
  readonly none: S;
  readonly evolve: (state: S, event: Recorded) => S;
}

/** What a command came to: the stream's state right after it, also when it is answered again much later. */
export interface Written<S> {
  readonly state: S;
  readonly at: Date;
  /** This command's own; none where there was nothing to do. */
  readonly events: readonly Recorded[];
  /** The stream's last revision that `state` holds; −1 for a stream that does not exist. */
  readonly revision: number;
}

export interface WriteRefusal {
  readonly refused: BookRefusal | 'replay-mismatch' | 'busy' | 'store-unavailable';
  readonly message: string;
  readonly retryable: boolean;
}

export const isRefused = (result: object): result is WriteRefusal => 'refused' in result;

const conflictsMax = 20;
const seenWithinMs = 5_000;

interface Loaded {
  readonly stored: readonly RecordedEvent[];
  readonly events: readonly Recorded[];
}

const refused = (
  reason: WriteRefusal['refused'],
  message: string,
  retryable = false,
): WriteRefusal => ({ refused: reason, message, retryable });

/**
 * Carries out commands on the streams of the price book: load, fold, decide, append behind the revision that was seen.
 *
 * Whoever loses a race decides again on what the winner left. A command is known again by its id: it adds nothing, and gets
 * the answer that it had. An answer leaves once the own replica holds the events, so that the next question sees them.
 */
export class BookWriter {
  constructor(
    private readonly store: EventStore,
    private readonly replica: PriceBookReplica,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async write<S>(
    stream: string,
    { none, evolve }: Aggregate<S>,
    command: BookCommand,
    decide: (state: S, at: Date) => Verdict,
  ): Promise<Written<S> | WriteRefusal> {
    const known = this.replica.records.commandHash(command.commandId);
    if (known !== undefined && known !== command.commandHash) return mismatch(command);
    try {
      for (let tries = 1; tries <= conflictsMax; tries += 1) {
        const written = await this.try(stream, { none, evolve }, command, decide);
        if (written === 'conflict') continue;
        return isRefused(written) ? written : await this.seen(stream, written);
      }
      return refused('busy', `${stream} changes too quickly; ask again`, true);
    } catch (error) {
      return unstored(error);
    }
  }

  private async try<S>(
    stream: string,
    { none, evolve }: Aggregate<S>,
    command: BookCommand,
    decide: (state: S, at: Date) => Verdict,
  ): Promise<Written<S> | WriteRefusal | 'conflict'> {
    const { stored, events } = await this.load(stream);
    const last = events.findLastIndex(({ metadata }) => metadata.commandId === command.commandId);
    if (last >= 0) return firstAnswer(events.slice(0, last + 1), { none, evolve }, command);

    const at = this.timeAfter(events.at(-1));
    const state = events.reduce(evolve, none);
    const verdict = decide(state, at);
    if (isRefusal(verdict)) return refused(verdict.refused, verdict.message);
    if (verdict.length === 0) return { state, at, events: [], revision: stored.length - 1 };

    const before = stored.at(-1);
    const prevHash = before ? eventHash(before) : genesisHash(stream);
    const made = chainEvents(prevHash, verdict, at, () => command);
    const checked = readBack(events, made);
    if (isRefused(checked)) return checked;
    try {
      const expected = before ? before.revision : 'no-stream';
      const revision = await appendSurely(this.store, stream, expected, made);
      return { state: checked.reduce(evolve, state), at, events: checked, revision };
    } catch (error) {
      if (error instanceof WrongExpectedRevisionError) return 'conflict';
      throw error;
    }
  }

  private async load(stream: string): Promise<Loaded> {
    const stored: RecordedEvent[] = [];
    for await (const event of this.store.read(stream)) stored.push(event);
    return { stored, events: stored.map(fromStoredPriceBook) };
  }

  /** A stream's time does not go back, whatever the clocks of its writers say. */
  private timeAfter(last: Recorded | undefined): Date {
    const nowMs = this.now().getTime();
    return new Date(Math.max(nowMs, last ? Date.parse(last.metadata.occurredAt) : 0));
  }

  private async seen<S>(stream: string, written: Written<S>): Promise<Written<S> | WriteRefusal> {
    if (written.revision < 0) return written;
    const waiting = new AbortController();
    const seen = await Promise.race([
      this.replica.reaches(stream, written.revision).then(() => true),
      sleep(seenWithinMs, false, { signal: waiting.signal }).catch(() => false),
    ]);
    waiting.abort();
    return seen
      ? written
      : refused('busy', 'it is recorded, but not in force here yet; ask again by its id', true);
  }
}

const mismatch = ({ commandId }: BookCommand): WriteRefusal =>
  refused('replay-mismatch', `command ${commandId} was another one`);

const firstAnswer = <S>(
  events: readonly Recorded[],
  { none, evolve }: Aggregate<S>,
  command: BookCommand,
): Written<S> | WriteRefusal => {
  const own = events.filter(({ metadata }) => metadata.commandId === command.commandId);
  const last = own.at(-1);
  if (last?.metadata.commandHash !== command.commandHash) return mismatch(command);
  return {
    state: events.reduce(evolve, none),
    at: new Date(last.metadata.occurredAt),
    events: own,
    revision: events.length - 1,
  };
};

/** Every replica ends at an event that it cannot apply: none is stored that has not been applied here. */
const readBack = (
  before: readonly Recorded[],
  made: readonly StoredEvent[],
): readonly Recorded[] | WriteRefusal => {
  try {
    const events = made.map(fromStoredPriceBook);
    const book = new PriceBook();
    for (const event of [...before, ...events]) book.apply(event);
    return events;
  } catch (error) {
    return refused('invalid-request', messageOf(error));
  }
};

const unstored = (error: unknown): WriteRefusal => {
  if (error instanceof InvalidEventError || error instanceof AppendTooLargeError) {
    return refused('invalid-request', error.message);
  }
  if (error instanceof UnknownOutcomeError || error instanceof StoreUnavailableError) {
    return refused(
      'store-unavailable',
      'the event store does not answer; ask again by its id',
      true,
    );
  }
  throw error;
};
