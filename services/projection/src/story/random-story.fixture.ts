import fc from 'fast-check';
import { AccountStory } from './account-story.fixture.js';

type Step = (story: AccountStory, id: string) => void;

const credits = fc.integer({ min: 1, max: 400_000 }).map((n) => String(n / 10_000));
const usage = fc.record({
  input: fc.integer({ min: 0, max: 200_000 }),
  output: fc.integer({ min: 0, max: 50_000 }),
});

const end: fc.Arbitrary<Step> = fc.oneof(
  usage.map((used) => (story: AccountStory, id: string) => story.settled(id, used)),
  credits.map((amount) => (story: AccountStory, id: string) => story.settled(id, amount)),
  usage.map((used) => (story: AccountStory, id: string) => story.settledWithin(id, used)),
  fc.constant((story: AccountStory, id: string) => story.released(id)),
  usage.map(
    (used) => (story: AccountStory, id: string) =>
      story.released(id, 'expired').settledLate(id, used),
  ),
  fc.tuple(usage, usage).map(
    ([first, then]) =>
      (story: AccountStory, id: string) =>
        story.settled(id, first).corrected(id, then),
  ),
);

const grant: fc.Arbitrary<Step> = fc.oneof(
  credits.map((amount) => (story: AccountStory) => story.granted(amount)),
  fc
    .tuple(credits, fc.integer({ min: 2_000, max: 60_000 }))
    .map(([amount, lifeMs]) => (story: AccountStory) => {
      story.granted(amount, { expiresAt: new Date(story.nowMs + lifeMs).toISOString() });
    }),
);

const pick = <T>(from: readonly T[], place: number): T | undefined =>
  from.length === 0 ? undefined : from[place % from.length];

const endGrant = (story: AccountStory, place: number): void => {
  const grantId = pick(story.endable(), place);
  if (grantId === undefined) return;
  const half = story.halfOf(grantId);
  if (story.hasExpired(grantId)) story.grantExpired(grantId);
  else if (place % 2 === 0 && half !== '0') story.grantVoided(grantId, 'rollover-cap', half);
  else story.grantVoided(grantId);
};

const toggleFreeze = (story: AccountStory): void => {
  const last = story.events.findLast(({ type }) => /^Account(Frozen|Unfrozen)$/.test(type));
  if (last?.type === 'AccountFrozen') story.unfrozen();
  else story.frozen();
};

const share = fc.constantFrom('0.25', '0.5', '1');
const place = fc.nat({ max: 40 });

/** What happens to an account besides calls and grants. */
const change: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(place, share).map(
    ([call, part]) =>
      (story: AccountStory) =>
        story.refundedShare(`r${String(call)}`, part),
  ),
  fc.tuple(place, usage).map(([call, used]) => (story: AccountStory) => {
    const id = `r${String(call)}`;
    if (story.isCharged(id)) story.corrected(id, used);
  }),
  place.map((grantPlace) => (story: AccountStory) => {
    endGrant(story, grantPlace);
  }),
  credits.map((amount) => (story: AccountStory) => story.adjusted(amount)),
  credits.map(
    (amount) => (story: AccountStory) =>
      story.granted(amount, { kind: 'adjustment', reasonCode: 'goodwill' }),
  ),
  fc.constant(toggleFreeze),
  credits.map((amount) => (story: AccountStory) => {
    story.limitSet('l', amount).limitWarned('l', amount, amount);
  }),
);

/** Any life of an account: debts, lapses, corrections, refunds, adjustments. The last reservations stay open. */
export const randomStory = (accountId = 'acc_random'): fc.Arbitrary<AccountStory> =>
  fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: grant.map((tell) => ({ tell, amount: '0', open: false })) },
        { weight: 2, arbitrary: change.map((tell) => ({ tell, amount: '0', open: false })) },
        {
          weight: 4,
          arbitrary: fc
            .tuple(end, credits, fc.boolean())
            .map(([tell, amount, open]) => ({ tell, amount, open })),
        },
      ),
      { maxLength: 30 },
    )
    .map((steps) => {
      const story = new AccountStory(accountId).opened().granted('20');
      const open: [string, Step][] = [];
      for (const [place, { tell, amount, open: staysOpen }] of steps.entries()) {
        const id = `r${String(place)}`;
        if (amount === '0') {
          tell(story, id);
          story.repaid();
          continue;
        }
        story.reservedAtMost(id, amount);
        if (staysOpen) open.push([id, tell]);
        else tell(story, id);
        // Half of what stays open ends later, between other events.
        const [first] = open;
        if (first && place % 2 === 1) {
          open.shift();
          first[1](story, first[0]);
          story.repaid();
        }
      }
      return story;
    });
