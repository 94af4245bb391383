import { partitionCount } from '@tollkeeper/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyTable,
  fairShares,
  handOvers,
  withHandedOver,
  withMember,
  withoutMembers,
  withOrphansAdopted,
  type PartitionTable,
} from './partition-table.js';

const countOf = (table: PartitionTable, name: string): number =>
  table.owners.filter((owner) => owner === name).length;

const tableOf = (...names: string[]): PartitionTable =>
  names.reduce((table, name) => withMember(table, name, { epoch: 1 }), emptyTable);

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });
const anyTable = names.chain((members) =>
  fc
    .array(fc.constantFrom(...members, null), {
      minLength: partitionCount,
      maxLength: partitionCount,
    })
    .map((owners): PartitionTable => ({ ...tableOf(...members), owners })),
);

describe('the table of partitions', () => {
  it('gives a lone instance everything', () => {
    expect(countOf(withOrphansAdopted(tableOf('a')), 'a')).toBe(64);
  });

  it('is left alone by members when nobody is there to take', () => {
    const table = withMember(emptyTable, 'a', { epoch: 1, leaving: true });
    expect(withOrphansAdopted(table)).toBe(table);
    expect(handOvers(table, 'a').size).toBe(0);
  });

  it('gives what the dead owned to the living, and moves nothing else', () => {
    const three = withOrphansAdopted(tableOf('a', 'b', 'c'));
    const after = withOrphansAdopted(withoutMembers(three, new Set(['b'])));
    expect([countOf(after, 'a'), countOf(after, 'c')]).toEqual([32, 32]);
    for (const [at, owner] of three.owners.entries()) {
      if (owner !== 'b') expect(after.owners[at]).toBe(owner);
    }
  });

  it('is made fair by everyone handing over their part, with the fewest moves', () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const adopted = withOrphansAdopted(table);
        const shares = fairShares(adopted);
        let after = adopted;
        let moved = 0;
        for (const giver of Object.keys(table.members)) {
          const moves = handOvers(adopted, giver);
          moved += moves.size;
          after = withHandedOver(after, giver, moves);
        }
        let over = 0;
        for (const [name, share] of shares) {
          expect(countOf(after, name)).toBe(share);
          over += Math.max(0, countOf(adopted, name) - share);
        }
        expect(moved).toBe(over);
      }),
    );
  });

  it('empties one that leaves', () => {
    const two = withOrphansAdopted(tableOf('a', 'b'));
    const leaving = withMember(two, 'a', { epoch: 1, leaving: true });
    const after = withHandedOver(leaving, 'a', handOvers(leaving, 'a'));
    expect([countOf(after, 'a'), countOf(after, 'b')]).toEqual([0, 64]);
  });
});
