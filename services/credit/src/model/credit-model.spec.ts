import { seedFor } from '@tollkeeper/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CreditAccounts } from '../application/credit-accounts.js';
import { balanceRequest, converters } from '../credit.convert.js';
import { checkLife } from './check-life.fixture.js';
import { stepsUpTo } from './model-steps.fixture.js';

/** `npm run test:faults` asks for more and longer lives. */
const runs = Number(process.env['MODEL_RUNS'] ?? 1_000);
const stepsMax = Number(process.env['MODEL_STEPS'] ?? 100);

const product = { CreditAccounts, converters, balanceRequest };

describe('a credit account beside its model', () => {
  it(
    `answers and holds the same, and keeps its promises, in each state of ${String(runs)} random lives`,
    async () => {
      const seed = seedFor('credit model');
      const total = { commands: 0, events: 0 };
      await fc.assert(
        fc.asyncProperty(stepsUpTo(stepsMax), async (steps) => {
          const { commands, events } = await checkLife(product, steps);
          total.commands += commands;
          total.events += events;
        }),
        { seed, numRuns: runs },
      );
      console.log(
        `${String(runs)} lives, ${String(total.commands)} commands, ${String(total.events)} events`,
      );
      expect(total.events).toBeGreaterThan(runs);
    },
    600_000 + runs * 200,
  );
});
