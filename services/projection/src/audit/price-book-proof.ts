import {
  eventHash,
  fromStoredPriceBook,
  genesisHash,
  priceBookCategories,
  seedActor,
  type Decoded,
  type PriceBookEvent,
} from '@tollkeeper/events';
import type { EventStore, RecordedEvent } from '@tollkeeper/event-store';
import { messageOf } from '@tollkeeper/kernel';
import { PriceBook } from '@tollkeeper/pricing';
import { consumeToHead } from '../projector/consume.js';
import { DifferenceError } from './difference.js';

const batchMax = 1_024;

interface Link {
  readonly revision: number;
  readonly hash: string;
}

/**
 * Proves the price book's streams from their own words: each event is readable and applies, holds the hash of the one before
 * it, and what took two people was decided by two.
 */
export class PriceBookProof {
  events = 0;
  private readonly book = new PriceBook();
  private readonly links = new Map<string, Link>();
  /** Who proposed it, by proposal; decided ones are gone. */
  private readonly pending = new Map<string, string>();

  /** @throws DifferenceError */
  check(recorded: RecordedEvent): void {
    const event = this.read(recorded);
    this.checkChain(recorded, event);
    this.checkFourEyes(recorded, event);
    this.events += 1;
  }

  private read(recorded: RecordedEvent): Decoded<PriceBookEvent> {
    try {
      const event = fromStoredPriceBook(recorded);
      this.book.apply(event);
      return event;
    } catch (error) {
      return fail(recorded, 'price-book', messageOf(error));
    }
  }

  private checkChain(recorded: RecordedEvent, { metadata }: Decoded<PriceBookEvent>): void {
    const { stream, revision } = recorded;
    const before = this.links.get(stream) ?? { revision: -1, hash: genesisHash(stream) };
    if (revision !== before.revision + 1) {
      fail(recorded, 'revisions', `follows revision ${String(before.revision)}`);
    }
    if (metadata.prevHash !== before.hash) {
      fail(recorded, 'hash-chain', 'does not hold the hash of the event before it');
    }
    this.links.set(stream, { revision, hash: eventHash(recorded) });
  }

  private checkFourEyes(recorded: RecordedEvent, event: Decoded<PriceBookEvent>): void {
    const { actor } = event.metadata;
    switch (event.type) {
      case 'MultiplierProposed':
        this.pending.set(event.data.ruleId, actor);
        return;
      case 'MultiplierWithdrawalProposed':
        this.pending.set(event.data.withdrawalId, actor);
        return;
      case 'MultiplierApproved':
        this.decided(recorded, event.data.ruleId, event.data.automatic ? undefined : actor);
        return;
      case 'MultiplierRejected':
        this.decided(recorded, event.data.ruleId, actor);
        return;
      case 'MultiplierWithdrawn':
      case 'MultiplierWithdrawalRejected':
        if (event.data.withdrawalId !== undefined) {
          this.decided(recorded, event.data.withdrawalId, actor);
        }
        return;
      default:
        return;
    }
  }

  /** Without an actor: by the rule for small changes. */
  private decided(recorded: RecordedEvent, proposalId: string, actor: string | undefined): void {
    const proposedBy = this.pending.get(proposalId);
    if (proposedBy === undefined) fail(recorded, 'four-eyes', `${proposalId} is not pending`);
    if (actor === proposedBy && actor !== seedActor) {
      fail(recorded, 'four-eyes', `${String(actor)} decided on an own proposal, ${proposalId}`);
    }
    this.pending.delete(proposalId);
  }
}

const fail = (recorded: RecordedEvent, check: string, message: string): never => {
  throw new DifferenceError({
    check,
    message: `${recorded.stream}@${String(recorded.revision)} ${recorded.type}: ${message}`,
    key: recorded.stream,
    revision: recorded.revision,
    eventId: recorded.id,
  });
};

/** Reads the price book up to what is stored now. @throws DifferenceError */
export const provePriceBook = async (
  store: EventStore,
  signal: AbortSignal | undefined,
): Promise<number> => {
  const proof = new PriceBookProof();
  await consumeToHead(store, {
    after: undefined,
    categories: priceBookCategories,
    batchMax,
    signal,
    onEvents: (events) => {
      for (const event of events) proof.check(event);
    },
  });
  return proof.events;
};
