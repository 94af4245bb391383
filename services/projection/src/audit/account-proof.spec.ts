import fc from 'fast-check';
import { eventHash, genesisHash, type StoredEvent } from '@tollkeeper/events';
import { parseMoney, sumMoney, zero, type Money } from '@tollkeeper/kernel';
import { describe, expect, it } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import { everything } from '../story/everything.fixture.js';
import { decoded } from '../story/project-story.fixture.js';
import { randomStory } from '../story/random-story.fixture.js';
import { AccountProof } from './account-proof.js';
import { DifferenceError } from './difference.js';

type Data = Record<string, unknown>;

const prove = (story: AccountStory): AccountProof => {
  const proof = new AccountProof(story.accountId, story.stream);
  for (const [revision, stored] of story.events.entries()) {
    const event = decoded(story.stream, stored, revision);
    const place = { stream: story.stream, revision, position: '', recordedAt: new Date(0) };
    proof.check({ ...stored, ...place }, event);
  }
  return proof;
};

/** The story's last event with other data, and all chains made right again. */
const forged = (story: AccountStory, change: (data: Data) => Data): AccountStory => {
  const last = story.events.pop();
  if (!last) throw new Error('no event');
  const data = JSON.stringify(change(JSON.parse(last.data) as Data));
  return story.tellStored({ ...last, data });
};

const checkOf = (story: AccountStory): string => {
  try {
    prove(story);
  } catch (error) {
    if (error instanceof DifferenceError) return error.difference.check;
    throw error;
  }
  return 'nothing found';
};

const funded = (): AccountStory => new AccountStory('a').opened().granted('10').granted('5');
type Fault = [title: string, check: string, story: AccountStory, change: (data: Data) => Data];

const past = '2026-11-20T10:00:30.000Z';
/** Of two grants the first ends after half a minute. */
const briefly = (): AccountStory =>
  new AccountStory('a').opened().granted('10', { expiresAt: past }).granted('5');
/** Ends with the grant that makes up for two credits. */
const lapsedRefund = (): AccountStory =>
  briefly().reserved('r', '3').settled('r', '3').later(60_000).refunded('r', '2');
const november = { recurring: { recurringId: 'm', period: '2026-11' } };
const december = { recurring: { recurringId: 'm', period: '2026-12' } };
const low = (): AccountStory => funded().topUpRuleSet('20', '9');
const part = (grantId: string, amountCredits: string): Data => ({ grantId, amountCredits });

describe('the proof of an account', () => {
  it.each(everything().map((story) => [story.accountId, story] as const))(
    'accepts %s',
    (_title, story) => {
      prove(story);
    },
  );

  it('accepts any story, and has its figures', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        const { revision } = prove(story).figures();
        expect(revision).toBe(String(story.events.length - 1));
      }),
    );
  });

  it.each<Fault>([
    [
      'reserves of a grant more than it has',
      'no-overspend',
      funded().reserved('r', '12'),
      (data) => ({
        ...data,
        allocations: [part('g1', '7'), part('g2', '5.0001')],
        amountCredits: '12.0001',
      }),
    ],
    [
      'reserves of a grant that does not exist',
      'grants',
      funded().reserved('r', '12'),
      (data) => ({ ...data, allocations: [part('g3', '12')] }),
    ],
    [
      'reserves another amount than it allocates',
      'allocations',
      funded().reserved('r', '12'),
      (data) => ({ ...data, amountCredits: '11' }),
    ],
    [
      'allocates a negative amount',
      'allocations',
      funded().reserved('r', '12'),
      (data) => ({ ...data, allocations: [part('g1', '10'), part('g2', '3'), part('g2', '-1')] }),
    ],
    [
      'reserves under an id that was released',
      'ends-once',
      funded().reserved('r', '1').released('r').reserved('s', '1'),
      (data) => ({ ...data, reservationId: 'r' }),
    ],
    [
      'settles what is not open',
      'ends-once',
      funded().reserved('r', '1').settled('r', '1'),
      (data) => ({ ...data, reservationId: 's' }),
    ],
    [
      'settles from a grant that was not reserved of',
      'allocations',
      funded().reserved('r', '1').settled('r', '1'),
      (data) => ({ ...data, drawn: [part('g2', '1')] }),
    ],
    [
      'returns more than was reserved',
      'allocations',
      funded().reserved('r', '3').settled('r', '1'),
      (data) => ({ ...data, returned: [part('g1', '2.5')] }),
    ],
    [
      'forgets to return',
      'allocations',
      funded().reserved('r', '3').released('r'),
      (data) => ({ ...data, returned: [] }),
    ],
    [
      'lapses a grant that does not expire',
      'grants',
      funded().reserved('r', '3').released('r'),
      (data) => ({ ...data, returned: [], lapsed: [part('g1', '3')] }),
    ],
    [
      'charges less than it draws',
      'allocations',
      funded().reserved('r', '3').settled('r', '3'),
      (data) => ({ ...data, chargeCredits: '2' }),
    ],
    [
      'charges another price than its lines come to',
      'charge',
      funded().reserved('r', '3').settled('r', { input: 1000 }),
      (data) => ({ ...data, vendorCostUsd: '0.0026' }),
    ],
    [
      'settles late what was not released',
      'ends-once',
      funded().reserved('r', '3').released('r').settledLate('r', '1'),
      (data) => ({ ...data, reservationId: 's' }),
    ],
    [
      'corrects by another difference than between the charges',
      'allocations',
      funded().reserved('r', '3').settled('r', '1').corrected('r', '2'),
      (data) => ({ ...data, deltaCredits: '0.5' }),
    ],
    [
      'returns to a grant more than was drawn of it',
      'allocations',
      funded().reserved('r', '3').settled('r', '3').corrected('r', '1'),
      (data) => ({ ...data, returned: [part('g2', '2')] }),
    ],
    [
      'repays more than is owed',
      'debt',
      funded().reserved('r', '15').settled('r', '16').granted('9'),
      (data) => ({ ...data, amountCredits: '2' }),
    ],
    [
      'returns to a grant whose time is over',
      'grants',
      briefly().reserved('r', '3').later(60_000).released('r'),
      (data) => ({ ...data, returned: [part('g1', '3')], lapsed: [] }),
    ],
    [
      'returns to a grant that was voided',
      'grants',
      funded().reserved('r', '3').grantVoided('g1').released('r'),
      (data) => ({ ...data, returned: [part('g1', '3')], lapsed: [] }),
    ],
    [
      'expires a grant before its time',
      'grants',
      briefly().later(60_000).grantExpired('g1'),
      (data) => ({ ...data, grantId: 'g2', amountCredits: '5' }),
    ],
    [
      'expires other credits than were unreserved',
      'grants',
      briefly().reserved('r', '3').later(60_000).grantExpired('g1'),
      (data) => ({ ...data, amountCredits: '10' }),
    ],
    [
      'expires a grant that has ended',
      'grants',
      briefly()
        .grantVoided('g1')
        .later(60_000)
        .granted('1', { expiresAt: past })
        .grantExpired('g3'),
      (data) => ({ ...data, grantId: 'g1', amountCredits: '0' }),
    ],
    [
      'voids a grant that does not exist',
      'grants',
      funded().grantVoided('g1'),
      (data) => ({ ...data, grantId: 'g9' }),
    ],
    [
      'voids more than is unreserved',
      'no-overspend',
      funded().reserved('r', '3').grantVoided('g1'),
      (data) => ({ ...data, amountCredits: '7.0001' }),
    ],
    [
      'adjusts more than is unreserved',
      'no-overspend',
      funded().reserved('r', '3').adjusted('12'),
      (data) => ({
        ...data,
        amountCredits: '12.0001',
        drawn: [part('g1', '7.0001'), part('g2', '5')],
      }),
    ],
    [
      'adjusts by another amount than it takes',
      'allocations',
      funded().adjusted('17'),
      (data) => ({ ...data, amountCredits: '16' }),
    ],
    [
      'calls the debt of an adjustment by another name',
      'adjustment',
      funded().adjusted('17'),
      (data) => ({ ...data, debt: { amountCredits: '2', cause: 'late-usage' } }),
    ],
    [
      'posts an adjustment twice',
      'adjustment',
      funded().adjusted('1').adjusted('2'),
      (data) => ({ ...data, adjustmentId: 'a1' }),
    ],
    [
      'adjusts by a negative amount',
      'adjustment',
      funded().adjusted('1'),
      (data) => ({ ...data, amountCredits: '-1', drawn: [] }),
    ],
    [
      'refunds other credits than its parts come to',
      'allocations',
      funded().reserved('r', '3').settled('r', '3').refunded('r', '2'),
      (data) => ({ ...data, amountCredits: '2.5' }),
    ],
    [
      'refunds to a grant that did not pay',
      'allocations',
      funded().reserved('r', '3').settled('r', '3').refunded('r', '2'),
      (data) => ({ ...data, returned: [part('g2', '2')] }),
    ],
    [
      'refunds more than was charged, to a grant of which an adjustment was drawn',
      'refund',
      funded().adjusted('5').reserved('r', '3').settled('r', '3').refunded('r', '3'),
      (data) => ({ ...data, amountCredits: '4', returned: [part('g1', '4')] }),
    ],
    [
      'cancels by a refund more than is owed',
      'debt',
      funded().reserved('r', '15').settled('r', '16').refunded('r', '1'),
      (data) => ({ ...data, amountCredits: '2', debtCancelledCredits: '2' }),
    ],
    [
      'refunds twice under one id',
      'refund',
      funded().reserved('r', '3').settled('r', '3').refunded('r', '1').refunded('r', '1'),
      (data) => ({ ...data, refundId: 'refund-5' }),
    ],
    [
      'refunds a negative amount',
      'refund',
      funded().reserved('r', '3').settled('r', '3').refunded('r', '1'),
      (data) => ({ ...data, amountCredits: '-1', returned: [] }),
    ],
    [
      'corrects by a difference that forgets a refund',
      'allocations',
      funded().reserved('r', '5').settled('r', '5').refunded('r', '3').corrected('r', '2'),
      (data) => ({ ...data, deltaCredits: '-3', returned: [part('g1', '3')] }),
    ],
    [
      'makes up for more than a refund has lost',
      'refund',
      lapsedRefund(),
      (data) => ({ ...data, amountCredits: '2.1' }),
    ],
    [
      'makes up for a refund that was not posted',
      'refund',
      lapsedRefund(),
      (data) => ({ ...data, refundId: 'refund-0' }),
    ],
    [
      'waives more than the lines come to',
      'charge',
      funded().reserved('r', '1').settledWithin('r', { input: 8000 }),
      (data) => ({ ...data, waivedCredits: '2.5' }),
    ],
    [
      'waives a negative amount',
      'charge',
      funded().reserved('r', '5').settledWithin('r', { input: 8000 }),
      (data) => ({
        ...data,
        chargeCredits: '4',
        waivedCredits: '-1',
        drawn: [part('g1', '4')],
        returned: [part('g1', '1')],
      }),
    ],
    [
      'changes from a tier that it does not have',
      'account',
      funded().tierChanged('pro', 'free'),
      (data) => ({ ...data, from: 'enterprise' }),
    ],
    [
      'warns of a limit that is not set',
      'limits',
      funded().limitSet('l', '5').limitWarned('l', '5', '5'),
      (data) => ({ ...data, limitId: 'm' }),
    ],
    [
      'warns of a limit of another amount',
      'limits',
      funded().limitSet('l', '5').limitWarned('l', '9', '5'),
      (data) => ({ ...data, amount: '6' }),
    ],
    [
      'warns of a limit that is not reached',
      'limits',
      funded().limitSet('l', '5').limitWarned('l', '5', '5'),
      (data) => ({ ...data, used: '4.9' }),
    ],
    [
      'removes a limit that is not set',
      'limits',
      funded().limitSet('l', '5').limitRemoved('l'),
      (data) => ({ ...data, limitId: 'm' }),
    ],
    [
      'reaches a threshold that is not set',
      'alerts',
      funded().alertsSet('20').lowBalanceReached('20'),
      (data) => ({ ...data, thresholdCredits: '30' }),
    ],
    [
      'reaches a threshold that is not undercut',
      'alerts',
      funded().alertsSet('20').lowBalanceReached('20'),
      (data) => ({ ...data, availableCredits: '20' }),
    ],
    [
      'reaches a threshold with a balance that is not below it',
      'alerts',
      funded().alertsSet('20').lowBalanceReached('20'),
      (data) => ({ ...data, balanceCredits: '20' }),
    ],
    [
      'reaches a threshold with more than there is',
      'alerts',
      funded().alertsSet('20').lowBalanceReached('20'),
      (data) => ({ ...data, availableCredits: '15.1' }),
    ],
    [
      'posts a month of a rule twice',
      'recurring',
      funded().recurringGrantSet('m', '3').granted('3', november).granted('3', december),
      (data) => ({ ...data, ...november }),
    ],
    [
      'posts by a rule that is not set',
      'recurring',
      funded().recurringGrantSet('m', '3').granted('3', november),
      (data) => ({ ...data, recurring: { recurringId: 'other', period: '2026-11' } }),
    ],
    [
      'requests another amount than its rule says',
      'top-up',
      low().topUpRequested('t1', '9'),
      (data) => ({ ...data, amountCredits: '10' }),
    ],
    [
      'requests with enough available',
      'top-up',
      low().topUpRequested('t1', '9'),
      (data) => ({ ...data, availableCredits: '20' }),
    ],
    [
      'requests twice under one id',
      'top-up',
      low().topUpRequested('t1', '9').later(60_000).topUpRequested('t2', '9'),
      (data) => ({ ...data, topUpId: 't1' }),
    ],
    [
      'grants a top-up that was not requested',
      'top-up',
      low().topUpRequested('t1', '9').granted('9', { topUpId: 't1' }),
      (data) => ({ ...data, topUpId: 't2' }),
    ],
    ['grants twice under one id', 'grants', funded(), (data) => ({ ...data, grantId: 'g1' })],
  ])('finds an account that %s', (_title, check, story, change) => {
    expect(checkOf(story)).toBe('nothing found');
    expect(checkOf(forged(story, change))).toBe(check);
  });

  it.each<[string, string, AccountStory]>([
    ['is frozen twice', 'account', funded().frozen().frozen()],
    ['is unfrozen while it is not frozen', 'account', funded().unfrozen()],
    [
      'requests a top-up within the cool-down',
      'top-up',
      low().topUpRequested('t1', '9').topUpRequested('t2', '9'),
    ],
    [
      'requests a top-up by a rule that is switched off',
      'top-up',
      funded().topUpRuleSet('20', '9', false).topUpRequested('t1', '9'),
    ],
    ['requests a top-up while it is frozen', 'top-up', low().frozen().topUpRequested('t1', '9')],
    [
      'requests more in a month than its cap',
      'top-up',
      funded()
        .topUpRuleSet('20', '600')
        .topUpRequested('t1', '600')
        .later(60_000)
        .topUpRequested('t2', '600'),
    ],
  ])('finds an account that %s', (_title, check, story) => {
    expect(checkOf(story)).toBe(check);
  });

  it('finds the first promise kept at every prefix of any story', () => {
    fc.assert(
      fc.property(randomStory(), (story) => {
        const proof = new AccountProof(story.accountId, story.stream);
        let refunded = zero;
        for (const [revision, stored] of story.events.entries()) {
          const event = decoded(story.stream, stored, revision);
          const place = { stream: story.stream, revision, position: '', recordedAt: new Date(0) };
          proof.check({ ...stored, ...place }, event);
          if (event.type === 'Refunded') refunded = refunded.plus(event.data.amountCredits);
          const figures = proof.figures();
          const of = (name: string): Money => parseMoney(figures[name] ?? '');
          const drawn = sumMoney(
            [...proof.grantFigures().values()].map((grant) => parseMoney(grant['drawn'] ?? '')),
          );
          const used = drawn.plus(of('reserved')).plus(of('lapsed')).plus(of('voided'));
          expect(used.lte(of('granted').plus(refunded))).toBe(true);
          expect(of('debt').gte(0)).toBe(true);
          const explained = drawn.plus(of('debt'));
          expect(explained.eq(of('charged').plus(of('adjusted')))).toBe(true);
        }
      }),
    );
  });

  it('finds a link of the chain that does not hold, at every event', () => {
    const { events, stream } = funded().reserved('r', '3').settled('r', '1');
    for (const place of events.keys()) {
      const story = new AccountStory('a');
      for (const [other, event] of events.entries()) {
        story.tellStored(other === place ? withPrevHash(event, genesisHash('credit-b')) : event);
      }
      expect(story.stream).toBe(stream);
      expect(checkOf(story)).toBe('hash-chain');
    }
  });
});

const withPrevHash = (event: StoredEvent, prevHash: string): StoredEvent => {
  const metadata = JSON.stringify({ ...(JSON.parse(event.metadata) as Data), prevHash });
  const changed = { ...event, metadata };
  expect(eventHash(changed)).not.toBe(eventHash(event));
  return changed;
};
