import {
  commandHashOf,
  eventHash,
  genesisHash,
  settingStream,
  toStored,
  vendorPriceStream,
  type PriceBookEvent,
} from '@tollkeeper/events';
import { WrongExpectedRevisionError, type EventStore } from '@tollkeeper/event-store';
import { canonicalJson, uuidv7 } from '@tollkeeper/kernel';
import { priceEvents } from '../domain/credit-account/credit-account.fixture.js';

/** Stores the specs' price book, its models under a provider of their own; what a shared store has already stays. */
export const storePriceBook = async (store: EventStore, provider: string): Promise<void> => {
  const streams = new Map<string, PriceBookEvent[]>();
  let rule = '';
  for (const event of priceEvents()) {
    if (event.type === 'MultiplierProposed')
      rule = `multiplier-tier:${event.data.scope.tier ?? ''}`;
    const [stream, stored] = placeOf(event, provider, rule);
    streams.set(stream, [...(streams.get(stream) ?? []), stored]);
  }
  for (const [stream, events] of streams) await storeStream(store, stream, events);
};

const placeOf = (
  event: PriceBookEvent,
  provider: string,
  rule: string,
): [string, PriceBookEvent] => {
  if (event.type !== 'VendorPricePublished') {
    return [event.type === 'CreditPolicySet' ? settingStream('credit-policy') : rule, event];
  }
  const { model } = event.data;
  const priceVersion = event.data.priceVersion.replace(event.data.provider, provider);
  const data = { ...event.data, provider, priceVersion };
  return [vendorPriceStream(provider, model), { ...event, data }];
};

const storeStream = async (
  store: EventStore,
  stream: string,
  events: readonly PriceBookEvent[],
): Promise<void> => {
  const at = new Date('2020-01-01T00:00:00.000Z');
  let prevHash = genesisHash(stream);
  const stored = events.map((event) => {
    const commandId = uuidv7();
    const link = toStored(uuidv7(), event, {
      schemaVersion: 1,
      occurredAt: at.toISOString(),
      correlationId: commandId,
      causationId: commandId,
      actor: 'spec',
      commandId,
      commandHash: commandHashOf(canonicalJson({ type: event.type, ...event.data })),
      prevHash,
    });
    prevHash = eventHash(link);
    return link;
  });
  try {
    await store.append(stream, 'no-stream', stored);
  } catch (error) {
    if (!(error instanceof WrongExpectedRevisionError)) throw error;
  }
};
