import {
  settingStream,
  vendorPriceStream,
  type MultiplierScope,
  type PriceBookEvent,
  type VendorPricePublished,
} from '@tollkeeper/events';

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

const rule = (scope: MultiplierScope, multiplier: string): SeedStream => {
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

/** Margins of 33.3 % by default and for pro, 50 % for free, 16.7 % and 4.76 % for enterprises. */
const rules: readonly SeedStream[] = [
  rule({}, '1.5'),
  rule({ tier: 'free' }, '2'),
  rule({ tier: 'pro' }, '1.5'),
  rule({ tier: 'enterprise' }, '1.2'),
  rule({ tier: 'enterprise_max' }, '1.05'),
];

/** One credit is a cent, charged to the hundredth of a hundredth of it. */
const creditPolicy: SeedStream = {
  stream: settingStream('credit-policy'),
  events: [
    {
      type: 'CreditPolicySet',
      data: {
        policyId: 'credit-policy@1',
        usdPerCredit: '0.01',
        decimals: 4,
        rounding: 'ceil',
        effectiveFrom: beginning,
      },
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
