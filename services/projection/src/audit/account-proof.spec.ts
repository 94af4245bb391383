import fc from 'fast-check';
import { eventHash, genesisHash, type StoredEvent } from '@tollkeeper/events';
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

  it.each<[string, string, AccountStory, (data: Data) => Data]>([
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
    ['grants twice under one id', 'grants', funded(), (data) => ({ ...data, grantId: 'g1' })],
  ])('finds an account that %s', (_title, check, story, change) => {
    expect(checkOf(story)).toBe('nothing found');
    expect(checkOf(forged(story, change))).toBe(check);
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
