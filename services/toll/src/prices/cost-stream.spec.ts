import { Readable, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseMoney, sumMoney, type Money } from '@tollkeeper/kernel';

import type { CostAnswer } from './cost-answer.js';
import { answerLine, answerLines } from './cost-stream.js';
import { tableSource } from './price-source.js';
import { defaultTerms, withPresets } from './terms.js';

const source = tableSource();
const at = '2026-10-01T12:00:00.000Z';

type Answer = CostAnswer & { line?: number; refused?: { reason: string; message: string } };

const answerOf = (line: object | string, presets: readonly string[] = []): Answer => {
  const text = typeof line === 'string' ? line : JSON.stringify(line);
  return answerLine({ number: 1, text }, source, withPresets(defaultTerms(), presets)) as Answer;
};

const gpt4o = (usage: object, more: object = {}): object => ({
  provider: 'openai',
  api: 'openai.chat',
  model: 'gpt-4o',
  at,
  response: { model: 'gpt-4o-2024-08-06', usage },
  ...more,
});

const tenCents = { provider: 'acme', model: 'm', at, usage: { input: 100_000 } };
const dollarRate = '[{"meter":"input","unit":"token","per":1000000,"rateUsd":1}]';
const withRates = (rates: string, line: object = tenCents): string =>
  `${JSON.stringify(line).slice(0, -1)},"rates":${rates}}`;

/** The dollar amounts in an answer, exact. */
const usd = (text: string): Money => parseMoney(text);

test('a raw answer is answered by pools, cost by meter, price version, rule and charge', () => {
  const usage = {
    prompt_tokens: 1000,
    completion_tokens: 300,
    total_tokens: 1300,
    prompt_tokens_details: { cached_tokens: 600 },
  };
  expect(answerOf(gpt4o(usage, { id: 'a' }))).toEqual({
    id: 'a',
    pools: { input: 400, cache_read: 600, output: 300 },
    vendorCostUsd: '0.00475',
    cost: { input: '0.001', cache_read: '0.00075', output: '0.003' },
    priceVersion: 'openai:gpt-4o@1',
    multiplier: '1.5',
    multiplierRule: 'tier:pro@1',
    multiplierLevel: 'tier',
    chargeCredits: '0.7125',
    chargeUsd: '0.007125',
    model: 'gpt-4o',
    provenance: 'exact',
  });
});

describe('the charge', () => {
  it.each([
    ['free', '2', '20', '0.5'],
    ['pro', '1.5', '15', '0.3333'],
    ['enterprise', '1.2', '12', '0.1667'],
    ['enterprise_max', '1.05', '10.5', '0.0476'],
  ])(
    'of tier %s is %s times the cost: %s credits, a margin of %s',
    (tier, multiplier, credits, margin) => {
      const answer = answerOf(withRates(dollarRate, { ...tenCents, tier }));
      expect(answer).toMatchObject({ multiplier, chargeCredits: credits, vendorCostUsd: '0.1' });
      const share = usd(answer.chargeUsd).minus(usd(answer.vendorCostUsd)).div(answer.chargeUsd);
      expect(share.toDecimalPlaces(4).toString()).toBe(margin);
    },
  );

  it.each<[readonly string[], string, string, string]>([
    [['markup-15'], '11.5', '0.115', 'default'],
    [['whole-credits'], '15', '0.15', 'tier'],
    [['usd-credits'], '0.15', '0.15', 'tier'],
    [['whole-credits', 'markup-15'], '12', '0.12', 'default'],
    [['usd-credits', 'markup-15'], '0.115', '0.115', 'default'],
  ])('of 0.10 USD with %j is %s credits, exactly %s USD', (presets, credits, chargeUsd, level) => {
    const answer = answerOf(withRates(dollarRate), presets);
    expect(answer.vendorCostUsd).toBe('0.1');
    expect(answer).toMatchObject({ chargeCredits: credits, chargeUsd, multiplierLevel: level });
  });

  it('is rounded up once: a thousandth of a credit is a whole one', () => {
    const line = withRates(dollarRate, { ...tenCents, usage: { input: 1 } });
    expect(answerOf(line, ['whole-credits']).chargeCredits).toBe('1');
    expect(answerOf(line).chargeCredits).toBe('0.0002');
    expect(answerOf(line, ['usd-credits']).chargeCredits).toBe('0.000002');
  });
});

describe('inline rates', () => {
  it.each([
    ['a number of any length', '0.1234567890123456789', '0.1234567890123456789'],
    ['an exponent', '1e-7', '0.0000001'],
    ['text', '"0.00000013"', '0.00000013'],
  ])('are read by their text: %s', (_what, rate, cost) => {
    const usage = { input: 1 };
    const line = withRates(`[{"meter":"input","per":1,"rateUsd":${rate}}]`, { ...tenCents, usage });
    expect(answerOf(line)).toMatchObject({ vendorCostUsd: cost, priceVersion: 'inline' });
  });

  it('hold tiers, thresholds and windows', () => {
    const rates =
      '[{"meter":"input","per":"1","rateUsd":"1"},{"meter":"input","per":"1","rateUsd":"2","inputTokensOver":10},' +
      '{"meter":"input","per":"1","rateUsd":"5","serviceTier":"flex"},' +
      '{"meter":"input","per":"1","rateUsd":"3","window":{"from":"22:00","to":"02:00"}}]';
    const cost = (input: number, more: object = {}): string =>
      answerOf(withRates(rates, { ...tenCents, usage: { input }, ...more })).vendorCostUsd;
    expect(cost(10)).toBe('10');
    expect(cost(11)).toBe('22');
    expect(cost(1, { serviceTier: 'flex' })).toBe('5');
    expect(cost(1, { at: '2026-10-01T22:00:00Z' })).toBe('3');
    expect(cost(1, { at: '2026-10-02T01:59:59Z' })).toBe('3');
    expect(cost(1, { at: '2026-10-02T04:00:00+02:00' })).toBe('1');
  });

  it('hold regions: of the line, of the answer before it', () => {
    const rates =
      '[{"meter":"input","per":"1","rateUsd":"1"},{"meter":"output","per":"1","rateUsd":"0"},' +
      '{"meter":"input","per":"1","rateUsd":"2","region":"us"},{"meter":"input","per":"1","rateUsd":"3","region":"eu"}]';
    const line = (more: object): Answer =>
      answerOf(withRates(rates, { ...tenCents, usage: { input: 1 }, ...more }));
    expect(line({})).toMatchObject({ vendorCostUsd: '1' });
    expect(line({ region: 'US' })).toMatchObject({ vendorCostUsd: '2', region: 'US' });
    expect(line({ region: 'moon' })).toMatchObject({
      vendorCostUsd: '1',
      flags: ['region-unpriced'],
    });
    const usage = { input_tokens: 1, output_tokens: 1, inference_geo: 'eu' };
    const response = { type: 'message', model: 'm', usage };
    const answered = { usage: undefined, api: 'anthropic.messages', response, region: 'us' };
    expect(line(answered)).toMatchObject({ vendorCostUsd: '3', region: 'eu' });
  });

  it('that lack a vendor’s cached tokens price them as its published part, and flag it', () => {
    const usage = { cache_read: 10, cache_write: 10, cache_write_1h: 10 };
    const line = { ...tenCents, provider: 'anthropic', usage };
    const rates = '[{"meter":"input","per":"1","rateUsd":"1"}]';
    expect(answerOf(withRates(rates, line))).toMatchObject({
      cost: { cache_read: '1', cache_write: '12.5', cache_write_1h: '20' },
      flags: [
        'ratio-fallback:cache_read',
        'ratio-fallback:cache_write',
        'ratio-fallback:cache_write_1h',
      ],
    });
  });

  it.each([
    ['no list', '{}'],
    ['an empty list', '[]'],
    ['no object', '[7]'],
    ['no rate', '[{"meter":"input","per":"1"}]'],
    ['a rate that is no amount', '[{"meter":"input","per":"1","rateUsd":"many"}]'],
    ['a rate beyond what an amount holds', '[{"meter":"input","per":"1","rateUsd":1e-99}]'],
    ['a negative rate', '[{"meter":"input","per":"1","rateUsd":"-1"}]'],
    ['a rate per nothing', '[{"meter":"input","per":"0","rateUsd":"1"}]'],
    [
      'a rate that is there twice',
      '[{"meter":"input","per":"1","rateUsd":"1"},{"meter":"input","per":"1","rateUsd":"2"}]',
    ],
    [
      'a window of no time',
      '[{"meter":"input","per":"1","rateUsd":"1","window":{"from":"25:00","to":"1"}}]',
    ],
  ])('are refused with %s', (_what, rates) => {
    expect(answerOf(withRates(rates)).refused?.reason).toBe('invalid-rates');
  });
});

describe('a line is refused, with its number and id,', () => {
  const reported = { prompt_tokens: 10, completion_tokens: 1 };
  const pools = { provider: 'openai', model: 'gpt-4o', at, usage: { input: 1 } };

  it.each<[string, object | string, string]>([
    ['that is no JSON', '{', 'invalid-line'],
    ['that is no object', '[1]', 'invalid-line'],
    ['without provider', { ...pools, provider: undefined }, 'invalid-line'],
    ['without a time', { ...pools, at: undefined }, 'invalid-line'],
    ['with a time of no zone', { ...pools, at: '2026-10-01T12:00:00' }, 'invalid-line'],
    ['with a day that is none', { ...pools, at: '2026-02-30T00:00:00Z' }, 'invalid-line'],
    ['with an unknown tier', { ...pools, tier: 'gold' }, 'invalid-line'],
    ['with neither response nor usage', { ...pools, usage: undefined }, 'invalid-line'],
    ['with both', { ...pools, api: 'openai.chat', response: {} }, 'invalid-line'],
    ['with an id that is lost in a double', '{"id":12345678901234567890}', 'invalid-line'],
    ['with a negative pool', { ...pools, usage: { input: -1 } }, 'invalid-line'],
    ['with a part of a token', { ...pools, usage: { input: 0.5 } }, 'invalid-line'],
    [
      'with a pool beyond what a double counts',
      '{"provider":"openai","model":"gpt-4o","at":"2026-10-01","usage":{"input":9007199254740993}}',
      'invalid-line',
    ],
    ['with a meter of no name', { ...pools, usage: { 'In put': 1 } }, 'invalid-line'],
    ['without a model', { ...pools, model: undefined }, 'invalid-line'],
    ['with no pool', { ...pools, usage: {} }, 'missing-usage'],
    ['in an unknown format', { ...gpt4o(reported), api: 'openai.chats' }, 'unknown-api'],
    ['without usage', gpt4o(reported, { response: { choices: [] } }), 'missing-usage'],
    ['with usage of zero', gpt4o({ prompt_tokens: 0, completion_tokens: 0 }), 'unbelievable-usage'],
    [
      'with more cached than asked',
      gpt4o({ ...reported, prompt_tokens_details: { cached_tokens: 11 } }),
      'contradictory-usage',
    ],
    ['of an unknown provider', { ...pools, provider: 'acme' }, 'unknown-provider'],
    ['of an unknown model', { ...pools, model: 'gpt-0' }, 'unknown-model'],
    [
      'of a model without rates',
      { ...pools, provider: 'google', model: 'gemma-3' },
      'unknown-price',
    ],
    ['with a meter that has no rate', { ...pools, usage: { credit: 1 } }, 'unpriced-meter'],
  ])('%s', (_what, line, reason) => {
    const answer = answerOf(line);
    expect(answer).toMatchObject({ line: 1, refused: { reason } });
    expect(answer.refused?.message).not.toBe('');
    expect(answer).not.toHaveProperty('vendorCostUsd');
  });
});

describe('a flag says', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 1 };
  it.each<[string, object, string, string]>([
    [
      'that the tier that answered has no rates of its own',
      gpt4o(usage, { response: { model: 'gpt-4o', service_tier: 'flex', usage } }),
      'service-tier-unpriced',
      'openai:gpt-4o@1',
    ],
    [
      'that another model answered, which is priced',
      gpt4o(usage, { response: { model: 'gpt-4o-mini', usage } }),
      'model-mismatch',
      'openai:gpt-4o-mini@1',
    ],
    [
      'that the model that answered is unknown, and the one asked for is priced',
      gpt4o(usage, { response: { model: 'gpt-0', usage } }),
      'answered-model-unpriced',
      'openai:gpt-4o@1',
    ],
    [
      'that the vendor reports another cost',
      {
        ...gpt4o(usage),
        provider: 'openrouter',
        api: 'openrouter.chat',
        model: 'openai/gpt-4o',
        response: { model: 'openai/gpt-4o', usage: { ...usage, cost: 0.5 } },
      },
      'reported-cost-differs',
      'openrouter:openai/gpt-4o@1',
    ],
  ])('%s', (_what, line, flag, priceVersion) => {
    const answer = answerOf(line);
    expect(answer.flags).toContain(flag);
    expect(answer.priceVersion).toBe(priceVersion);
  });
});

const run = async (chunks: readonly (string | Buffer)[]): Promise<Answer[]> => {
  let text = '';
  const output = new Writable({
    highWaterMark: 16,
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      setImmediate(done);
    },
  });
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  await answerLines(input, output, { source, terms: defaultTerms() });
  await new Promise((resolve) => output.end(resolve));
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Answer);
};

describe('a stream of lines', () => {
  const line = (id: number): string =>
    JSON.stringify({ id, provider: 'openai', model: 'gpt-4o', at, usage: { input: id + 1 } });

  it('is answered in order, whatever the chunks', async () => {
    const text = Array.from({ length: 50 }, (_, id) => (id % 7 === 3 ? 'é{' : line(id))).join(
      '\r\n',
    );
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, place) => bytes.subarray(places[place], end));
        const answers = await run(chunks);
        expect(answers.map(({ id, line: number }) => id ?? `line ${String(number)}`)).toEqual(
          Array.from({ length: 50 }, (_, id) => (id % 7 === 3 ? `line ${String(id + 1)}` : id)),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('has no answer for a blank line, which still counts', async () => {
    const answers = await run([`${line(0)}\n\n  \nnonsense\n`]);
    expect(answers.map(({ line: number }) => number)).toEqual([undefined, 4]);
  });

  it('refuses a line that is too long to keep, and goes on', async () => {
    const mebibyte = 'x'.repeat(1 << 20);
    const answers = await run([...Array.from({ length: 17 }, () => mebibyte), '\n', line(1)]);
    expect(answers[0]).toMatchObject({ line: 1, refused: { reason: 'invalid-line' } });
    expect(answers[1]).toMatchObject({ id: 1, vendorCostUsd: '0.000005' });
  });

  it('of nothing is answered by nothing', async () => {
    expect(await run([])).toEqual([]);
  });
});

const models = [
  ['anthropic', 'claude-sonnet-4-5'],
  ['google', 'gemini-2.5-flash'],
  ['deepseek', 'deepseek-chat'],
  ['openai', 'gpt-5.6-sol'],
] as const;
const meters = [
  'input',
  'cache_read',
  'cache_write',
  'cache_write_1h',
  'output',
  'reasoning',
  'input_audio',
];
const anyCall = fc.record({
  model: fc.constantFrom(...models),
  usage: fc.record(
    Object.fromEntries(meters.map((meter) => [meter, fc.integer({ min: 0, max: 10_000_000 })])),
  ),
  tier: fc.constantFrom('free', 'pro', 'enterprise', 'enterprise_max'),
  minute: fc.integer({ min: 0, max: 24 * 60 - 1 }),
});
type Call = typeof anyCall extends fc.Arbitrary<infer T> ? T : never;

const priced = ({ model, usage, tier, minute }: Call, presets: readonly string[] = []): Answer => {
  const time = new Date(Date.parse('2026-10-01T00:00:00Z') + minute * 60_000).toISOString();
  const [provider, name] = model;
  return answerOf({ provider, model: name, at: time, usage, tier }, presets);
};

describe('for every call', () => {
  test('the charge is at least the vendor’s cost, and the cost is the sum of its meters', () => {
    const anyPresets = fc.subarray(['whole-credits', 'usd-credits', 'markup-15']);
    fc.assert(
      fc.property(anyCall, anyPresets, (call, presets) => {
        const answer = priced(call, presets);
        expect(usd(answer.chargeUsd).gte(answer.vendorCostUsd)).toBe(true);
        expect(sumMoney(Object.values(answer.cost).map(usd)).eq(answer.vendorCostUsd)).toBe(true);
      }),
    );
  });

  test('one more token of any kind makes neither cost nor charge less', () => {
    fc.assert(
      fc.property(
        anyCall,
        fc.constantFrom(...meters),
        fc.integer({ min: 1, max: 500_000 }),
        (call, meter, more) => {
          const usage = { ...call.usage, [meter]: (call.usage[meter] ?? 0) + more };
          const [less, dearer] = [priced(call), priced({ ...call, usage })];
          expect(usd(dearer.vendorCostUsd).gte(less.vendorCostUsd)).toBe(true);
          expect(usd(dearer.chargeCredits).gte(less.chargeCredits)).toBe(true);
        },
      ),
    );
  });

  test('the day’s cost does not depend on how its calls are split over runs', async () => {
    const anyDay = fc.array(anyCall, { minLength: 1, maxLength: 12 });
    const lineOf = ({ model: [provider, model], usage, tier }: Call): string =>
      JSON.stringify({ provider, model, at, usage, tier });
    const total = (answers: readonly Answer[]): string =>
      sumMoney(answers.map(({ vendorCostUsd }) => usd(vendorCostUsd))).toString();
    await fc.assert(
      fc.asyncProperty(anyDay, fc.nat(12), async (day, cut) => {
        const lines = day.map(lineOf);
        const whole = await run([lines.join('\n')]);
        const first = await run([lines.slice(0, cut).join('\n')]);
        const second = await run([lines.slice(cut).join('\n')]);
        expect(total([...first, ...second])).toBe(total(whole));
      }),
      { numRuns: 30 },
    );
  });

  test('a call below a context tier costs what its parts cost', () => {
    const small = fc.integer({ min: 0, max: 20_000 });
    const anySmall = fc.record(Object.fromEntries(meters.map((meter) => [meter, small])));
    fc.assert(
      fc.property(anyCall, anySmall, anySmall, (call, a, b) => {
        const both = Object.fromEntries(
          meters.map((meter) => [meter, (a[meter] ?? 0) + (b[meter] ?? 0)]),
        );
        const cost = (usage: Call['usage']): Money => usd(priced({ ...call, usage }).vendorCostUsd);
        expect(cost(a).plus(cost(b)).eq(cost(both))).toBe(true);
      }),
    );
  });
});
