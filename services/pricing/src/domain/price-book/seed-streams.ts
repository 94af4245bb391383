import {
  settingStream,
  vendorPriceStream,
  type MultiplierScope,
  type PriceBookEvent,
  type VendorPricePublished,
} from '@tollkeeper/events';
import {
  defaultCreditTerms,
  defaultMultipliers,
  type DefaultMultiplier,
} from '@tollkeeper/pricing';

/** A stream as it begins in a price book that nobody has changed yet. */
export interface SeedStream {
  readonly stream: string;
  readonly events: readonly PriceBookEvent[];
}

const beginning = '2020-01-01T00:00:00.000Z';
const reason = 'shipped with Tollkeeper';

/** `default`, `tier:pro`, `provider:openai,model:gpt-4o,tier:pro`. */
const scopeName = ({ provider, model, tier }: MultiplierScope): string => {
  const parts = Object.entries({ provider, model, tier }).flatMap(([field, value]) =>
    value === undefined ? [] : [`${field}:${value}`],
  );
  return parts.length === 0 ? 'default' : parts.join(',');
};

export const multiplierStream = (scope: MultiplierScope): string =>
  `multiplier-${scopeName(scope)}`;

const rule = ({ scope, multiplier }: DefaultMultiplier): SeedStream => {
  const ruleId = `${scopeName(scope)}@1`;
  return {
    stream: multiplierStream(scope),
    events: [
      {
        type: 'MultiplierProposed',
        data: { ruleId, scope, multiplier, effectiveFrom: beginning, reason },
      },
      { type: 'MultiplierApproved', data: { ruleId, reason } },
    ],
  };
};

const rules: readonly SeedStream[] = defaultMultipliers.map(rule);

const creditPolicy: SeedStream = {
  stream: settingStream('credit-policy'),
  events: [
    {
      type: 'CreditPolicySet',
      data: { policyId: 'credit-policy@1', ...defaultCreditTerms, effectiveFrom: beginning },
    },
  ],
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
