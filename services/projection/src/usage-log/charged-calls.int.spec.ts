import {
  chargedCallsQuery,
  chargedCallsReply,
  type ChargedCall,
  type ChargedCallsQuery,
} from '@tollkeeper/contracts';
import { describe, expect, test } from 'vitest';
import { AccountStory } from '../story/account-story.fixture.js';
import {
  append,
  projectAll,
  useReadDatabases,
  type ReadDatabase,
} from '../story/read-database.fixture.js';
import { pageChargedCalls } from './charged-calls.query.js';

const newDatabase = useReadDatabases();

const ever = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' };

/** Three accounts with four calls each, one of them a plain amount. */
const charged = async (): Promise<ReadDatabase> => {
  const database = await newDatabase();
  const stories = ['acc_a', 'acc_b', 'acc_c'].map((id) => {
    const story = new AccountStory(id).opened().granted('1000');
    for (const call of ['r1', 'r2', 'r3']) {
      story.reserved(`${id}_${call}`, '9').settled(`${id}_${call}`, { input: 1000, output: 100 });
    }
    return story.reserved(`${id}_plain`, '9').settled(`${id}_plain`, '3');
  });
  await append(database.store, ...stories);
  await projectAll(database, 100);
  return database;
};

const read = async (
  { pool }: ReadDatabase,
  question: Partial<ChargedCallsQuery>,
): Promise<ChargedCall[]> => {
  const calls: ChargedCall[] = [];
  let after: unknown;
  for (let pages = 0; pages < 100; pages += 1) {
    const query = chargedCallsQuery.parse({ ...ever, ...question, ...(after ? { after } : {}) });
    const page = chargedCallsReply.parse(await pageChargedCalls(pool, query));
    calls.push(...page.calls);
    if (!page.next) return calls;
    after = page.next;
  }
  throw new Error('no end');
};

describe('charged calls of a range', () => {
  test.each([1, 2, 5, 12, 13, 500])('in pages of %i are each read once, by time', async (limit) => {
    const calls = await read(await charged(), { limit });
    expect(calls).toHaveLength(12);
    expect(new Set(calls.map(({ reservationId }) => reservationId)).size).toBe(12);
    const times = calls.map(({ requestedAt }) => requestedAt);
    expect(times).toEqual([...times].sort());
  });

  test('carry what a charge is computed from, but for the rates', async () => {
    const calls = await read(await charged(), { accountId: 'acc_b' });
    expect(calls.map(({ reservationId }) => reservationId).sort()).toEqual([
      'acc_b_plain',
      'acc_b_r1',
      'acc_b_r2',
      'acc_b_r3',
    ]);
    expect(calls.find(({ reservationId }) => reservationId === 'acc_b_r1')).toMatchObject({
      accountId: 'acc_b',
      userId: 'caller',
      refundedCredits: '0',
      attempts: [
        {
          provider: 'openai',
          model: 'gpt-4o',
          billed: true,
          lines: [
            ['input', '1000'],
            ['output', '100'],
          ],
        },
      ],
    });
    expect(calls.find(({ reservationId }) => reservationId === 'acc_b_plain')?.attempts).toEqual(
      [],
    );
  });

  test('of a model are those that it was called for', async () => {
    const database = await charged();
    const of = (model: string) => read(database, { of: { provider: 'openai', model } });
    expect(await of('gpt-4o')).toHaveLength(9);
    expect(await of('gpt-4o-mini')).toEqual([]);
  });

  test('begin at the first moment of the range and end before its last', async () => {
    const database = await charged();
    const all = await read(database, {});
    const [first, second] = [...new Set(all.map(({ requestedAt }) => requestedAt))];
    if (first === undefined || second === undefined) throw new Error('all at one moment');
    const within = await read(database, { from: first, to: second });
    expect(within.map(({ requestedAt }) => requestedAt)).toEqual(within.map(() => first));
    expect(within.length).toBeGreaterThan(0);
  });
});
