import { describe, expect, test } from 'vitest';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import type { Charge, PricedAttempt, PricedLine } from '@tollkeeper/events';
import { chargeFor } from './charge.js';
import { explainCharge } from './explain.js';
import { flagInWords } from './flags.js';
import { lineCostUsd } from './recompute.js';

const line = (meter: string, quantity: string, rateUsd: string): PricedLine => ({
  meter,
  quantity,
  unit: 'token',
  per: '1000000',
  rateUsd,
});

const attempt = (lines: PricedLine[], more: Partial<PricedAttempt> = {}): PricedAttempt => ({
  provider: 'openai',
  model: 'gpt-4o',
  billed: true,
  provenance: 'exact',
  priceVersion: 'openai:gpt-4o@1',
  lines,
  costUsd: formatMoney(lines.map(lineCostUsd).reduce((a, b) => a.plus(b), parseMoney('0'))),
  multiplier: '1.5',
  multiplierRule: 'pro@1',
  multiplierLevel: 'tier',
  ...more,
});

const chargeOf = (attempts: PricedAttempt[], more: Partial<Charge> = {}): Charge => {
  const { usdPerCredit = '0.01', creditDecimals = 4 } = more;
  const computed = chargeFor(
    attempts.map(({ costUsd, multiplier }) => ({
      costUsd: parseMoney(costUsd),
      multiplier: parseMoney(multiplier),
    })),
    { usdPerCredit: parseMoney(usdPerCredit), decimals: creditDecimals },
  );
  return {
    tier: 'pro',
    attempts,
    policyId: 'policy@1',
    usdPerCredit,
    creditDecimals,
    rounding: 'ceil',
    vendorCostUsd: formatMoney(computed.vendorCostUsd),
    chargeCredits: formatMoney(computed.chargeCredits),
    roundingCredits: formatMoney(computed.roundingCredits),
    ...more,
  };
};

const call = attempt([line('input', '1000', '2.5'), line('output', '501', '10')]);

describe('explainCharge', () => {
  test('goes from the lines to the credits, a sentence for each step', () => {
    expect(explainCharge(chargeOf([call])).text).toEqual([
      'openai/gpt-4o: price version openai:gpt-4o@1, usage exact.',
      'input: 1000 token × 2.5 USD ÷ 1000000 = 0.0025 USD.',
      'output: 501 token × 10 USD ÷ 1000000 = 0.00501 USD.',
      'Vendor cost: 0.0025 + 0.00501 = 0.00751 USD.',
      'Markup: 0.00751 USD × 1.5 (rule pro@1, level tier) = 0.011265 USD.',
      'In credits: 0.011265 USD ÷ 0.01 USD per credit = 1.1265 credits.',
      'Rounded up to 4 decimals, by 0: 1.1265 credits.',
      'Charged: 1.1265 credits.',
    ]);
  });

  test('gives each line its cost, and the figures as they are stored', () => {
    const explained = explainCharge(chargeOf([call], { creditDecimals: 0 }));
    expect(explained).toMatchObject({
      attempts: [
        {
          priceVersion: 'openai:gpt-4o@1',
          lines: [
            { meter: 'input', quantity: '1000', rateUsd: '2.5', costUsd: '0.0025' },
            { meter: 'output', quantity: '501', rateUsd: '10', costUsd: '0.00501' },
          ],
          costUsd: '0.00751',
          multiplierRule: 'pro@1',
        },
      ],
      vendorCostUsd: '0.00751',
      chargeCredits: '2',
      roundingCredits: '0.8735',
      flags: [],
    });
    expect(explained.text).toContain('Rounded up to 0 decimals, by 0.8735: 2 credits.');
  });

  test('sums several attempts before they become credits, without those that were not billed', () => {
    const failed = attempt([], { billed: false, model: 'gpt-4o-mini', costUsd: '0' });
    const { text } = explainCharge(chargeOf([failed, call, call]));
    expect(text[0]).toBe('openai/gpt-4o-mini: the vendor billed nothing.');
    expect(text).toContain('All attempts: 0.011265 + 0.011265 = 0.02253 USD.');
    expect(text.at(-1)).toBe('Charged: 2.253 credits.');
  });

  test('names who answered, the service tier and the region', () => {
    const where = { answeredModel: 'gpt-4o-x', serviceTier: 'flex', region: 'us' };
    expect(explainCharge(chargeOf([attempt(call.lines, where)])).text[0]).toBe(
      'openai/gpt-4o: price version openai:gpt-4o@1, answered by gpt-4o-x, service tier flex, region us, usage exact.',
    );
  });

  test('says what stands for usage that nobody knows', () => {
    const bound = { meter: 'bound', quantity: '1', unit: 'call', per: '1', rateUsd: '0.05' };
    const unknown = attempt([bound], { provenance: 'unknown' });
    const { text } = explainCharge(chargeOf([unknown], { flags: ['usage-missing'] }));
    expect(text).toContain('bound: the most that the call could cost, 0.05 USD.');
    expect(text.at(-1)).toBe(
      'Flag usage-missing: the vendor reported no usage: the bound of the call is charged.',
    );
  });

  test('marks a quotient that does not terminate', () => {
    const { text } = explainCharge(chargeOf([call], { usdPerCredit: '0.07' }));
    expect(text.find((sentence) => sentence.startsWith('In credits'))).toMatch(/≈ 0\.160928571/);
  });

  test('tells what was waived', () => {
    const charge = chargeOf([call]);
    const waived = { ...charge, chargeCredits: '1', waivedCredits: '0.1265' };
    expect(explainCharge(waived).text.slice(-3)).toEqual([
      'Rounded up to 4 decimals, by 0: 1.1265 credits.',
      'Waived, as beyond the reservation: 0.1265 credits.',
      'Charged: 1 credits.',
    ]);
  });

  test('does not vouch for a figure that does not follow from the rest', () => {
    const { text } = explainCharge({ ...chargeOf([call]), chargeCredits: '1' });
    expect(text.at(-1)).toBe('Not proven: chargeCredits is stored as 1 and comes to 1.1265.');
  });

  test('explains a plain amount', () => {
    const plain = { ...chargeOf([]), chargeCredits: '12.5' };
    expect(explainCharge(plain).text).toEqual([
      'A plain amount of credits: priced by whoever asked for it, at no vendor cost of ours.',
      'Charged: 12.5 credits.',
    ]);
  });
});

test.each([
  ['late', /after the reservation had expired/],
  ['unpriced-meter:web_search', /no rate for web_search: the bound/],
  ['ratio-fallback:cache_read', /no rate for cache_read: a part/],
  ['some-day', /^some-day$/],
  ['constructor', /^constructor$/],
  ['some-day:soon', /^some-day:soon$/],
])('puts the flag %s into words', (flag, sentence) => {
  expect(flagInWords(flag)).toMatch(sentence);
});
