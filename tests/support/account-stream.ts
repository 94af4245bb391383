import { creditStream, fromStoredCredit, type CreditAccountEvent } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import { StreamPromises } from '@tollkeeper/testing';

/** An account's events held to the promises, one after the other. @throws BrokenPromiseError */
export const proveStream = async (
  store: EventStore,
  accountId: string,
): Promise<StreamPromises> => {
  const promises = new StreamPromises();
  for await (const stored of store.read(creditStream(accountId))) {
    const { metadata, ...fact } = fromStoredCredit(stored);
    promises.apply(fact, metadata.occurredAt);
  }
  return promises;
};

export const eventsOf = async (
  store: EventStore,
  accountId: string,
): Promise<CreditAccountEvent[]> => {
  const events: CreditAccountEvent[] = [];
  for await (const stored of store.read(creditStream(accountId))) {
    events.push(fromStoredCredit(stored));
  }
  return events;
};
