import type { StoredEvent } from '@tollkeeper/events';
import { zero } from '@tollkeeper/kernel';
import { accountIdOf, decodeEvent } from '../projector/decode-event.js';
import { BatchProjection } from '../projector/project-batch.js';
import { emptyWorkingSet, type WorkingSet } from '../projector/working-set.js';
import type { LedgerEvent } from '../projector/ledger-event.js';
import type { AccountStory } from './account-story.fixture.js';

export const decoded = (stream: string, stored: StoredEvent, revision: number): LedgerEvent => {
  const { event, broken } = decodeEvent({
    ...stored,
    stream,
    revision,
    position: String(revision),
    recordedAt: new Date(0),
  });
  if (!event) throw new Error(`${accountIdOf(stream)}: ${broken.reason}`);
  return event;
};

/** The events that a story has told since `from`. */
export const eventsOf = (story: AccountStory, from = 0): LedgerEvent[] =>
  story.events.map((stored, revision) => decoded(story.stream, stored, revision)).slice(from);

/** Given some history, what does the rest of a story change? Each `then` is a batch of its own. */
export const given = (story: AccountStory) => {
  const set: WorkingSet = emptyWorkingSet();
  let from = 0;
  const batch = (): BatchProjection => {
    const projection = new BatchProjection(set);
    for (const event of eventsOf(story, from)) projection.apply(event);
    from = story.events.length;
    for (const [key, { pots }] of projection.changes.grants) {
      set.grants.set(key, (set.grants.get(key) ?? zero).plus(pots.available));
    }
    return projection;
  };
  batch();
  return {
    when: (tell: (story: AccountStory) => void): BatchProjection['changes'] => {
      tell(story);
      return batch().changes;
    },
  };
};
