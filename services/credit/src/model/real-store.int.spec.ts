import { randomFrom, seedFor } from '@tollkeeper/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveThrough } from './check-life.fixture.js';
import {
  livesUpTo,
  withOwnIds,
  type Draft,
  type LifeSetting,
  type RandomLife,
  type Step,
} from './model-steps.fixture.js';
import { startRealPlatform, type RealPlatform } from './real-ledger.fixture.js';

/** `npm run test:faults` asks for more. */
const lives = Number(process.env['REAL_LIVES'] ?? 5);
const stepsMax = 100;
const isShort = lives < 10;
/** Of the credit service, in each life; what would be a further one is a command like any other. */
const killsMax = isShort ? 1 : 2;
/** A start takes longer than a life. */
const killsInAllMax = isShort ? 2 : Infinity;

const kurrentdbUrl = process.env['KURRENTDB_URL'];
const stores = [
  { store: 'PostgreSQL', url: undefined },
  ...(kurrentdbUrl === undefined ? [] : [{ store: 'KurrentDB', url: kurrentdbUrl }]),
];

type SharedSetting = Omit<LifeSetting, 'accountId' | 'coarseInMs'>;

/** Each takes a process of its own, so that lives go through them one after the other; the price book is everybody's. */
const settings: readonly SharedSetting[] = [
  { excessPolicy: 'charge-available-then-debt', openOnReserve: false },
  { excessPolicy: 'deny-excess', openOnReserve: true },
  { excessPolicy: 'allow', openOnReserve: true },
];

/** A store that others use too may know what an enterprise pays. */
const known = (draft: Draft): Draft =>
  draft.verb === 'tier' && draft.body.tier === 'enterprise'
    ? { ...draft, body: { ...draft.body, tier: 'pro' } }
    : draft;

const knownIn = (step: Step): Step => {
  switch (step.type) {
    case 'send':
      return { ...step, commands: step.commands.map(known) };
    case 'crash':
      return { ...step, command: known(step.command) };
    default:
      return step;
  }
};

const underSetting = (life: RandomLife, setting: SharedSetting): RandomLife => ({
  isForgetful: false,
  setting: { ...setting, accountId: life.setting.accountId, coarseInMs: undefined },
  steps: withOwnIds(life.steps.map(knownIn)).slice(0, stepsMax),
});

describe.each(stores)('a credit account on $store beside its model', ({ url }) => {
  let platform: RealPlatform;
  const seed = seedFor('model on a real store');
  beforeAll(async () => {
    const run = Math.floor(randomFrom(Date.now()).next() * 1e9).toString(36);
    platform = await startRealPlatform(run, url);
  }, 240_000);
  afterAll(() => platform.stop(), 60_000);

  it(
    `answers and holds the same over NATS, killed and started again, in ${String(lives)} random lives`,
    async () => {
      const total = { commands: 0, events: 0, recalled: 0 };
      const tried = isShort ? [settings[seed % settings.length] ?? settings[0]] : settings;
      for (const [place, setting] of tried.entries()) {
        if (!setting) continue;
        const numRuns = Math.ceil((lives - place) / tried.length);
        await fc.assert(
          fc.asyncProperty(livesUpTo(stepsMax), async (random) => {
            const life = underSetting(random, setting);
            const killsLeft = Math.min(killsMax, killsInAllMax - platform.kills());
            const ledger = await platform.begin(life.setting, killsLeft);
            const { commands, events, recalled } = await liveThrough(ledger, life);
            total.commands += commands;
            total.events += events;
            total.recalled += recalled;
          }),
          // As it was met: to try smaller lives here takes longer than to replay it in memory.
          { seed: seed + place, numRuns, endOnFailure: true },
        );
      }
      console.log(
        `${String(lives)} lives, ${String(total.commands)} commands, ${String(total.events)} events, ${String(total.recalled)} looks into the past, ${String(platform.kills())} kills`,
      );
      expect(total.events).toBeGreaterThan(0);
    },
    120_000 + lives * 60_000,
  );
});
