import { seedFor } from '@tollkeeper/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CreditAccounts } from '../application/credit-accounts.js';
import { balanceRequest, converters } from '../credit.convert.js';
import { limitsRequest } from '../limits.convert.js';
import { checkLife } from './check-life.fixture.js';
import { livesUpTo } from './model-steps.fixture.js';

/** `npm run test:faults` asks for more and longer lives. */
const runs = Number(process.env['MODEL_RUNS'] ?? 1_000);
const stepsMax = Number(process.env['MODEL_STEPS'] ?? 100);

const product = { CreditAccounts, converters, balanceRequest, limitsRequest };

/** What the lives together must have met, or the walk is no longer a test of it. */
const everything = [
  'accepted',
  'account-exists',
  'account-frozen',
  'amount-not-chargeable',
  'debt',
  'debt-outstanding',
  'exceeds-charge',
  'free-tier-budget',
  'grant-ended',
  'insufficient-credits',
  'invalid-request',
  'late',
  'limit-reached',
  'model-not-in-tier',
  'rate-limited',
  'replay-mismatch',
  'reservation-closed',
  'unknown-account',
  'unknown-grant',
  'unknown-limit',
  'unknown-price',
  'unknown-reservation',
];

/** The same of events. */
const everyEvent = [
  'AccountFrozen',
  'AccountOpened',
  'AccountUnfrozen',
  'BalanceAlertsSet',
  'CreditsAdjusted',
  'CreditsGranted',
  'DebtRepaid',
  'GrantExpired',
  'GrantVoided',
  'LimitRemoved',
  'LimitSet',
  'LimitWarned',
  'LowBalanceReached',
  'RecurringGrantSet',
  'Refunded',
  'Released',
  'Reserved',
  'Settled',
  'SettledLate',
  'TierChanged',
  'TopUpRequested',
  'TopUpRuleSet',
  'UsageCorrected',
];

describe('a credit account beside its model', () => {
  it(
    `answers and holds the same, and keeps its promises, in each state of ${String(runs)} random lives`,
    async () => {
      const seed = seedFor('credit model');
      const total = { commands: 0, events: 0, recalled: 0 };
      const all = new Set<string>();
      const allStored = new Set<string>();
      await fc.assert(
        fc.asyncProperty(livesUpTo(stepsMax), async (life) => {
          const { commands, events, recalled, seen, stored } = await checkLife(product, life);
          total.commands += commands;
          total.events += events;
          total.recalled += recalled;
          for (const each of seen) all.add(each);
          for (const each of stored) allStored.add(each);
        }),
        { seed, numRuns: runs },
      );
      console.log(
        `${String(runs)} lives, ${String(total.commands)} commands, ${String(total.events)} events, ${String(total.recalled)} looks into the past`,
      );
      // A shorter walk, as mutation testing takes it, need not meet everything.
      if (runs < 1_000) return;
      expect([...all].sort()).toEqual(everything);
      expect([...allStored].sort()).toEqual(everyEvent);
      expect(total.recalled).toBeGreaterThan(0);
    },
    600_000 + runs * 200,
  );
});
