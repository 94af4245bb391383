import { readFile } from 'node:fs/promises';
import { calcPrice, type ModelInfo, type Provider } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, test } from 'vitest';
import type { UsagePools } from '@tollkeeper/events';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { isUnpriced, priceUsage } from '@tollkeeper/pricing';
import { readProviders, source } from './genai-prices.js';
import { PriceTable, type NoPrice, type TablePrice } from './price-table.js';

const table = new PriceTable();
const at = new Date('2026-10-01T12:00:00.000Z');

const costOf = (provider: string, model: string, pools: UsagePools, when = at): string => {
  const price = table.priceAt(provider, model, when);
  if ('refused' in price) return price.refused;
  const priced = priceUsage(price.version, pools, { at: when });
  return isUnpriced(priced) ? `${priced.refused} ${priced.meter}` : formatMoney(priced.costUsd);
};

const versionOf = (price: TablePrice | NoPrice): string =>
  'refused' in price ? price.refused : price.version.id;

test('the table is the one that package.json pins', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  expect(dependencies[source.name]).toBe(source.version);
});

describe('a model of the table is found', () => {
  it.each([
    ['by its name', 'openai', 'gpt-4o', 'openai:gpt-4o@1'],
    ['by a dated name', 'openai', 'gpt-4o-2024-08-06', 'openai:gpt-4o@1'],
    [
      'by a rule for its beginning',
      'anthropic',
      'claude-sonnet-4-5-20250929',
      'anthropic:claude-sonnet-4-5@1',
    ],
    ['in another case', 'OpenAI', 'GPT-4o', 'openai:gpt-4o@1'],
    ['at a provider that lists another’s models', 'azure', 'gpt-4o', 'azure:gpt-4o@1'],
    [
      'by another name of its provider',
      'google-vertex',
      'gemini-2.5-pro',
      'google:gemini-2.5-pro@1',
    ],
    [
      'by its id where its rule is for longer names',
      'fireworks',
      'gpt-oss-120b',
      'fireworks:gpt-oss-120b@1',
    ],
    ['not where no rule holds', 'openai', 'gpt-0', 'unknown-model'],
    ['not at a provider that is unknown', 'nobody', 'gpt-4o', 'unknown-provider'],
    ['not where it is listed without rates', 'google', 'gemma-3', 'unknown-price'],
    ['not before any price', 'openai', 'gpt-4o', 'unknown-price', '2019-12-31T23:59:59.999Z'],
  ])('%s', (_how, provider, model, version, when = '2026-10-01T12:00:00.000Z') => {
    expect(versionOf(table.priceAt(provider, model, new Date(when)))).toBe(version);
  });
});

describe('a price of the table', () => {
  it.each<[string, string, string, UsagePools, string, string]>([
    ['before its date', 'openai', 'o3', { input: 1_000_000 }, '2025-06-09T23:59:59.999Z', '10'],
    ['from its date on', 'openai', 'o3', { input: 1_000_000 }, '2025-06-10T00:00:00.000Z', '2'],
    [
      'at a threshold',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 200_000 },
      '2026-01-01T00:00:00Z',
      '0.6',
    ],
    [
      'one above, for every token',
      'anthropic',
      'claude-sonnet-4-5',
      { input: 150_000, cache_read: 50_001 },
      '2026-01-01T00:00:00Z',
      '0.9300006',
    ],
    [
      'before the window',
      'deepseek',
      'deepseek-chat',
      { input: 1_000_000 },
      '2025-05-01T00:29:59.999Z',
      '0.135',
    ],
    [
      'in the window',
      'deepseek',
      'deepseek-chat',
      { input: 1_000_000 },
      '2025-05-01T00:30:00.000Z',
      '0.27',
    ],
    [
      'at the end of the window',
      'deepseek',
      'deepseek-chat',
      { input: 1_000_000 },
      '2025-05-01T16:30:00.000Z',
      '0.135',
    ],
    [
      'per request beside the tokens',
      'perplexity',
      'sonar',
      { input: 1_000_000 },
      '2026-01-01T00:00:00Z',
      '1.012',
    ],
    [
      'cached audio',
      'google',
      'gemini-2.5-flash',
      { cache_read_audio: 1_000_000 },
      '2026-01-01T00:00:00Z',
      '0.1',
    ],
    [
      'cached audio as audio where no cache is listed',
      'openai',
      'gpt-audio',
      { cache_read_audio: 1_000_000 },
      '2026-01-01T00:00:00Z',
      '32',
    ],
    [
      'seconds of an hour',
      'openai',
      'whisper-1',
      { input_audio_second: 3600 },
      '2026-01-01T00:00:00Z',
      '0.36',
    ],
    [
      'free where the name says so',
      'openrouter',
      'openai/gpt-oss-120b:free',
      { input: 9, output: 9 },
      '2026-01-01T00:00:00Z',
      '0',
    ],
    [
      'not for a meter without a rate',
      'openai',
      'text-embedding-3-small',
      { output: 1 },
      '2026-01-01T00:00:00Z',
      'unpriced-meter output',
    ],
  ])('holds %s', (_when, provider, model, pools, time, cost) => {
    expect(costOf(provider, model, pools, new Date(time))).toBe(cost);
  });
});

const tokenInputs = ['input', 'cache_read', 'cache_write', 'cache_write_1h'] as const;
const modalities = ['audio', 'image', 'video'] as const;
const inputMeters = [
  ...tokenInputs,
  ...modalities.flatMap((modality) => [`input_${modality}`, `cache_read_${modality}`]),
];
const outputMeters = ['output', 'reasoning', ...modalities.map((name) => `output_${name}`)];

/** The table's keys that only count where they are priced, and our meters for them. */
const eventMeters: Readonly<Record<string, string>> = {
  output_citation_mtok: 'citation',
  web_searches_kcount: 'web_search',
  storage_searches_kcount: 'file_search',
  input_text_messages_kcount: 'text_message',
  input_document_kpages: 'page',
  input_annotated_document_kpages: 'annotated_page',
  audio_hours: 'input_audio_second',
};

/** The table counts each kind of token into the wider kinds around it, as its vendors report them. */
const inclusive = (pools: UsagePools): Record<string, number> => {
  const of = (...meters: string[]): number =>
    meters.reduce((total, meter) => total + (pools[meter] ?? 0), 0);
  const cached = modalities.map((modality) => `cache_read_${modality}`);
  return {
    input_tokens: of(...inputMeters),
    cache_read_tokens: of('cache_read', ...cached),
    cache_write_tokens: of('cache_write', 'cache_write_1h'),
    cache_write_1h_tokens: of('cache_write_1h'),
    output_tokens: of(...outputMeters, 'citation'),
    output_reasoning_tokens: of('reasoning'),
    output_citation_tokens: of('citation'),
    ...Object.fromEntries(
      modalities.flatMap((modality) => [
        [`input_${modality}_tokens`, of(`input_${modality}`, `cache_read_${modality}`)],
        [`cache_${modality}_read_tokens`, of(`cache_read_${modality}`)],
        [`output_${modality}_tokens`, of(`output_${modality}`)],
      ]),
    ),
    web_searches: of('web_search'),
    storage_searches: of('file_search'),
    input_text_messages: of('text_message'),
    input_document_pages: of('page', 'annotated_page'),
    input_annotated_document_pages: of('annotated_page'),
    audio_seconds: of('input_audio_second'),
    input_audio_seconds: of('input_audio_second'),
  };
};

const keysOf = ({ prices }: ModelInfo): Set<string> =>
  new Set(
    (Array.isArray(prices) ? prices : [{ prices }]).flatMap(({ prices: price }) =>
      Object.keys(price),
    ),
  );

/** Where no rate is listed, the vendor's published part of its input is ours; the package bills the whole. */
const partsOfInput: Readonly<Record<string, readonly (readonly [meter: string, part: string])[]>> =
  {
    anthropic: [
      ['cache_read', '0.1'],
      ['cache_write', '1.25'],
      ['cache_write_1h', '2'],
    ],
    google: [['cache_read', '0.05']],
  };

/** Of a model with a rate for input, in dollars or free. */
const unlistedParts = ({ id }: Provider, model: ModelInfo) => {
  const keys = keysOf(model);
  const parts = keys.has('input_mtok') ? (partsOfInput[id] ?? []) : [];
  return parts.filter(([meter]) => !keys.has(`${meter}_mtok`));
};

/** Every meter that this model's price has a rate for, its own or a wider one's. */
const metersOf = (provider: Provider, model: ModelInfo): string[] => {
  const keys = keysOf(model);
  const unlisted = unlistedParts(provider, model).map(([meter]) => meter);
  const isListed = (meter: string): boolean =>
    !unlisted.some((each) => each === meter || (each === 'cache_read' && meter.startsWith(each)));
  return [
    ...(keys.has('input_mtok') ? inputMeters.filter(isListed) : []),
    ...(keys.has('output_mtok') ? outputMeters : []),
    ...Object.entries(eventMeters).flatMap(([key, meter]) => (keys.has(key) ? [meter] : [])),
  ];
};

const anyCount = fc.oneof(
  fc.constantFrom(0, 1, 10_000_000),
  fc.integer({ min: 0, max: 300_000 }),
  fc.integer({ min: 0, max: 900 }),
);

const anyPools = (meters: readonly string[]): fc.Arbitrary<UsagePools> =>
  fc
    .record(Object.fromEntries(meters.map((meter) => [meter, fc.option(anyCount)])))
    .map((counts) =>
      Object.fromEntries(
        Object.entries(counts).flatMap(([meter, count]) =>
          count === null ? [] : [[meter, count]],
        ),
      ),
    );

/** Around every date and time of day that a price begins or ends at, and any time of three years. */
const anyTime: fc.Arbitrary<Date> = fc.oneof(
  fc.date({
    min: new Date('2025-01-01T00:00:00Z'),
    max: new Date('2027-12-31T00:00:00Z'),
    noInvalidDate: true,
  }),
  fc
    .tuple(
      fc.constantFrom(
        '2025-06-10',
        '2025-12-02',
        '2026-03-13',
        '2026-07-30',
        '2026-08-17',
        '2026-08-21',
        '2027-01-01',
      ),
      fc.constantFrom('00:00', '00:30', '01:00', '04:00', '06:00', '10:00', '16:30'),
      fc.constantFrom(-1, 0, 1),
    )
    .map(([day, time, ms]) => new Date(Date.parse(`${day}T${time}:00.000Z`) + ms)),
);

const datedRange = (model: ModelInfo): { from: string } | undefined => {
  const prices = Array.isArray(model.prices) ? model.prices : [];
  const dated = prices.flatMap(({ constraint }) =>
    constraint?.type === 'start_date' ? [constraint.start_date] : [],
  );
  const windows = prices.some(({ constraint }) => constraint?.type === 'time_of_date');
  const first = dated[0];
  return windows && first !== undefined ? { from: first } : undefined;
};

/** Where our figure is another on purpose. */
const deliberate: readonly {
  readonly reason: string;
  readonly holds: (call: {
    provider: Provider;
    model: ModelInfo;
    pools: UsagePools;
    at: Date;
  }) => boolean;
}[] = [
  {
    reason:
      'a window without a date belongs to the dated price before it, and does not reach back further',
    holds: ({ model, at: when }) => {
      const range = datedRange(model);
      return range !== undefined && when < new Date(range.from);
    },
  },
  {
    reason:
      'the package bills Groq’s Whisper for ten seconds at least, which no field of its table says',
    holds: ({ provider, model, pools }) =>
      provider.id === 'groq' &&
      model.id.startsWith('whisper') &&
      (pools['input_audio_second'] ?? 0) > 0 &&
      (pools['input_audio_second'] ?? 0) < 10,
  },
  {
    reason:
      'pages had no annotated price of their own before its date; the package then bills none for it',
    holds: ({ model, pools, at: when }) =>
      model.id.startsWith('mistral-ocr') &&
      when < new Date('2025-05-22') &&
      (pools['annotated_page'] ?? 0) > 0,
  },
];

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe(`differential: the package’s own calculation (SEED=${String(seed)})`, () => {
  let providers: readonly Provider[] = [];
  beforeAll(async () => {
    providers = await readProviders();
  });

  test('costs the same to the last digits of its doubles, for every model with a price', () => {
    let models = 0;
    let ulps = 0;
    for (const provider of providers) {
      for (const model of provider.models) {
        const named = calcPrice({}, model.id, { providerId: provider.id });
        if (keysOf(model).size === 0 || named?.model !== model) continue;
        models += 1;
        const property = fc.property(
          anyPools(metersOf(provider, model)),
          anyTime,
          (pools, when) => {
            fc.pre(!deliberate.some(({ holds }) => holds({ provider, model, pools, at: when })));
            const price = table.priceAt(provider.id, model.id, when);
            if ('refused' in price) throw new Error(price.message);
            const ours = priceUsage(price.version, pools, { at: when });
            if (isUnpriced(ours))
              throw new Error(`${price.version.id} has no rate for ${ours.meter}`);
            const options = { providerId: provider.id, timestamp: when };
            const theirs = calcPrice(inclusive(pools), model.id, options)?.total_price ?? NaN;
            const difference = Math.abs(ours.costUsd.toNumber() - theirs);
            ulps = Math.max(ulps, difference === 0 ? 0 : difference / (theirs * Number.EPSILON));
            expect(difference, `${provider.id}:${model.id}`).toBeLessThanOrEqual(
              theirs * 8 * Number.EPSILON,
            );
          },
        );
        fc.assert(property, { numRuns: 8, seed });
      }
    }
    expect(models).toBeGreaterThan(1400);
    console.info(
      `SEED=${String(seed)}: ${String(models)} models, apart by ${ulps.toFixed(1)} ulp at most`,
    );
  }, 120_000);

  test('is another where it bills a meter without a rate at zero, or as another meter: that is refused here', () => {
    const options = { providerId: 'openai', timestamp: at };
    expect(calcPrice({ output_tokens: 5 }, 'text-embedding-3-small', options)?.total_price).toBe(0);
    expect(costOf('openai', 'text-embedding-3-small', { output: 5 })).toBe('unpriced-meter output');
    const citations = { input_tokens: 5, output_tokens: 5, output_citation_tokens: 5 };
    expect(calcPrice(citations, 'gpt-4o', options)?.total_price).toBeGreaterThan(0);
    expect(costOf('openai', 'gpt-4o', { input: 5, citation: 5 })).toBe('unpriced-meter citation');
    expect(
      calcPrice({ input_tokens: 5 }, 'gemma-3', { ...options, providerId: 'google' })?.total_price,
    ).toBe(0);
    expect(costOf('google', 'gemma-3', { input: 5 })).toBe('unknown-price');
  });

  test('is another where a vendor publishes what cached tokens cost and the table lists no rate: flagged', () => {
    let models = 0;
    for (const provider of providers) {
      for (const model of provider.models) {
        for (const [meter, part] of unlistedParts(provider, model)) {
          const price = table.priceAt(provider.id, model.id, at);
          if ('refused' in price || price.version.model !== model.id) continue;
          const million = (pool: string) =>
            priceUsage(price.version, { [pool]: 1_000_000 }, { at });
          const [input, cached] = [million('input'), million(meter)];
          if (isUnpriced(input) || isUnpriced(cached)) throw new Error(`${model.id} has no input`);
          models += 1;
          expect(cached.costUsd, model.id).toEqual(input.costUsd.times(part));
          expect(cached.flags).toEqual([`ratio-fallback:${meter}`]);
        }
      }
    }
    expect(models).toBeGreaterThan(10);
  });

  test('is another where a window has no date: it is not applied before the price that it came with', () => {
    const when = new Date('2026-08-01T02:00:00.000Z');
    const options = { providerId: 'deepseek', timestamp: when };
    const usage = { input_tokens: 1_000_000 };
    expect(calcPrice(usage, 'deepseek-v4-pro', options)?.total_price).toBe(1.32);
    expect(costOf('deepseek', 'deepseek-v4-pro', { input: 1_000_000 }, when)).toBe('0.435');
  });

  test('is another for Groq’s Whisper below ten seconds', () => {
    const options = { providerId: 'groq', timestamp: at };
    const theirs = (seconds: number): number | undefined =>
      calcPrice(
        { audio_seconds: seconds, input_audio_seconds: seconds },
        'whisper-large-v3',
        options,
      )?.total_price;
    const ours = (seconds: number): string =>
      costOf('groq', 'whisper-large-v3', { input_audio_second: seconds });
    expect(theirs(1)).toBe(theirs(10));
    expect(theirs(3600)).toBe(0.111);
    expect(ours(3600)).toBe('0.111');
    expect(parseMoney(ours(1)).lt(parseMoney(ours(10)))).toBe(true);
  });
});
