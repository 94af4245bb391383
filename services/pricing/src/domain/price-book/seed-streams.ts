import {
  settingStream,
  vendorPriceStream,
  type MultiplierScope,
  type PriceBookEvent,
  type VendorPricePublished,
} from '@tollkeeper/events';
import {
  creditTermsEvent,
  defaultCreditTerms,
  defaultMultipliers,
  multiplierEvents,
  scopeName,
} from '@tollkeeper/pricing';

/** A stream as it begins in a price book that nobody has changed yet. */
export interface SeedStream {
  readonly stream: string;
  readonly events: readonly PriceBookEvent[];
}

const reason = 'shipped with Tollkeeper';

export const multiplierStream = (scope: MultiplierScope): string =>
  `multiplier-${scopeName(scope)}`;

const rules: readonly SeedStream[] = defaultMultipliers.map((rule) => ({
  stream: multiplierStream(rule.scope),
  events: multiplierEvents(rule, reason),
}));

const creditPolicy: SeedStream = {
  stream: settingStream('credit-policy'),
  events: [creditTermsEvent('credit-policy@1', defaultCreditTerms)],
};

/** What every new price book begins with: the policy, the markups, then each model's dated prices. */
export const seedStreams = (prices: readonly VendorPricePublished[]): SeedStream[] => {
  const byStream = new Map<string, PriceBookEvent[]>();
  for (const data of prices) {
    const stream = vendorPriceStream(data.provider, data.model);
    const events = byStream.get(stream) ?? [];
    events.push({ type: 'VendorPricePublished', data });
    byStream.set(stream, events);
  }
  const models = [...byStream].map(([stream, events]) => ({ stream, events }));
  return [creditPolicy, ...rules, ...models];
};
