import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMoney, Money, parseMoney } from '@tollkeeper/kernel';
import { chargeFor, creditsToUsd, usdBudgetFor, type CreditValue } from './charge.js';

const policy = (usdPerCredit: string, decimals: number): CreditValue => ({
  usdPerCredit: parseMoney(usdPerCredit),
  decimals,
});
const cent = policy('0.01', 4);
const wholeCredits = policy('0.01', 0);
const dollar = policy('1', 6);
const third = policy('3', 2);

const charge = (
  parts: readonly (readonly [costUsd: string, multiplier: string])[],
  credit: CreditValue,
): Record<string, string> => {
  const computed = chargeFor(
    parts.map(([costUsd, multiplier]) => ({
      costUsd: parseMoney(costUsd),
      multiplier: parseMoney(multiplier),
    })),
    credit,
  );
  return {
    charge: formatMoney(computed.chargeCredits),
    rounding: formatMoney(computed.roundingCredits),
    vendor: formatMoney(computed.vendorCostUsd),
  };
};

describe('chargeFor', () => {
  test.each<[string, [string, string][], CreditValue, string, string, string]>([
    ['ten cents at markup-15 in dollars', [['0.1', '1.15']], dollar, '0.115', '0', '0.1'],
    ['ten cents at markup-15 in cents', [['0.1', '1.15']], cent, '11.5', '0', '0.1'],
    ['whole credits', [['0.0123', '1.5']], wholeCredits, '2', '0.155', '0.0123'],
    ['whole credits that divide', [['0.02', '1.5']], wholeCredits, '3', '0', '0.02'],
    [
      'the least cost in whole credits',
      [['0.0000000001', '1']],
      wholeCredits,
      '1',
      '0.99999999',
      '0.0000000001',
    ],
    ['four decimals', [['0.0075001', '1.5']], cent, '1.1251', '0.000085', '0.0075001'],
    [
      'several attempts, rounded once',
      [
        ['0.000001', '1'],
        ['0.000002', '1.5'],
      ],
      cent,
      '0.0004',
      '0',
      '0.000003',
    ],
    ['nothing', [], cent, '0', '0', '0'],
    ['an attempt that cost nothing', [['0', '1.5']], cent, '0', '0', '0'],
    [
      'a quotient that does not terminate',
      [['1', '1']],
      third,
      '0.34',
      '0.006666666666666666666666666667',
      '1',
    ],
    ['a quotient that does', [['0.03', '1']], third, '0.01', '0', '0.03'],
  ])('charges %s', (_, parts, credit, credits, rounding, vendor) => {
    expect(charge(parts, credit)).toEqual({ charge: credits, rounding, vendor });
  });

  test('rounds up a charge that 60 digits cannot tell from the credits below', () => {
    const tiny = `0.${'0'.repeat(26)}1`;
    const parts = [
      ['300000', '1'],
      [tiny, tiny],
    ] as const;
    expect(charge(parts, policy('3', 0))).toMatchObject({ charge: '100001' });
  });

  test.each([
    ['free', '2', '0.5'],
    ['pro', '1.5', '0.3333'],
    ['enterprise', '1.2', '0.1667'],
    ['enterprise_max', '1.05', '0.0476'],
  ])('leaves %s its margin', (_, multiplier, margin) => {
    const { chargeCredits, vendorCostUsd } = chargeFor(
      [{ costUsd: parseMoney('1000'), multiplier: parseMoney(multiplier) }],
      cent,
    );
    const chargedUsd = creditsToUsd(chargeCredits, cent);
    expect(chargedUsd.minus(vendorCostUsd).div(chargedUsd).toDecimalPlaces(4).toString()).toBe(
      margin,
    );
  });

  test('is never below the vendor cost where the multiplier is at least one', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 24n }),
        fc.integer({ min: 100, max: 100_000 }),
        fc.integer({ min: 0, max: 12 }),
        fc.constantFrom('0.01', '1', '0.003', '7'),
        (picoUsd, percent, decimals, usdPerCredit) => {
          const credit = policy(usdPerCredit, decimals);
          const costUsd = new Money(picoUsd.toString()).div('1e15');
          const computed = chargeFor(
            [{ costUsd, multiplier: new Money(percent).div(100) }],
            credit,
          );
          expect(creditsToUsd(computed.chargeCredits, credit).gte(costUsd)).toBe(true);
          expect(computed.roundingCredits.gte(0)).toBe(true);
          expect(computed.roundingCredits.lt(new Money(10).pow(-decimals))).toBe(true);
          expect(computed.chargeCredits.decimalPlaces()).toBeLessThanOrEqual(decimals);
        },
      ),
    );
  });
});

describe('usdBudgetFor', () => {
  const budget = (credits: string, multiplier: string, credit: CreditValue): string =>
    formatMoney(usdBudgetFor(parseMoney(credits), parseMoney(multiplier), credit));

  test.each<[string, string, CreditValue, string]>([
    ['115', '1.15', cent, '1'],
    ['1', '1.5', cent, '0.006666666666666666666666666666'],
    ['1.99999', '1', cent, '0.019999'],
    ['1.9', '1', wholeCredits, '0.01'],
    ['0.9', '1', wholeCredits, '0'],
    ['0', '1.5', cent, '0'],
    ['-5', '1.5', cent, '0'],
    ['1', '0', cent, 'Infinity'],
  ])('gives %s credits at multiplier %s a budget', (credits, multiplier, credit, usd) => {
    expect(budget(credits, multiplier, credit)).toBe(usd);
  });
});

test('creditsToUsd is exact', () => {
  expect(formatMoney(creditsToUsd(parseMoney('12.3456'), cent))).toBe('0.123456');
});
