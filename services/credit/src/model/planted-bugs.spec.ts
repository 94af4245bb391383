import { seedFor } from '@tollkeeper/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkLife } from './check-life.fixture.js';
import type { Product } from './ledger-run.fixture.js';
import { livesUpTo } from './model-steps.fixture.js';
import { isRare, plantedBugs } from './planted-bugs.fixture.js';

const lives = 100_000;
const wanted =
  process.env['PLANTED_BUGS'] === 'all'
    ? plantedBugs
    : plantedBugs.filter((planted) => !isRare(planted));
const seed = seedFor('planted bugs');

describe('the model test', () => {
  // The product is loaded anew, with one module of it broken.
  beforeEach(() => void vi.resetModules());
  afterEach(() => {
    for (const { module } of plantedBugs) vi.doUnmock(module);
  });

  it.each(wanted)(
    'catches: $name',
    async ({ module, breakIt }) => {
      vi.doMock(module, async (original) => {
        const whole = await original<Record<string, unknown>>();
        return { ...whole, ...breakIt(whole as never) };
      });
      const result = await fc.check(
        fc.asyncProperty(livesUpTo(60), async (life) => {
          await checkLife(await loadProduct(), life);
        }),
        { seed, numRuns: lives, endOnFailure: true },
      );
      expect(result.failed, `not caught in ${String(lives)} lives`).toBe(true);
      expect(result.numRuns).toBeLessThanOrEqual(lives);
      console.log(`caught in life ${String(result.numRuns)}`);
    },
    600_000,
  );
});

const loadProduct = async (): Promise<Product> => {
  const { CreditAccounts } = await import('../application/credit-accounts.js');
  const { converters, balanceRequest } = await import('../credit.convert.js');
  const { limitsRequest } = await import('../limits.convert.js');
  return { CreditAccounts, converters, balanceRequest, limitsRequest };
};
