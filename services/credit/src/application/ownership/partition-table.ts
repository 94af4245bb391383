import { partitionCount } from '@tollkeeper/contracts';

export interface Member {
  /** Counts the lives of one instance id: a restart takes the next one, and with it the leases of the last. */
  readonly epoch: number;
  /** It stops: it gives its partitions away and is given none. */
  readonly leaving?: boolean;
}

/** Who owns what. One value under one revision, so that every change is one compare-and-set. */
export interface PartitionTable {
  readonly members: Readonly<Record<string, Member>>;
  /** Instance by partition; null: nobody's. */
  readonly owners: readonly (string | null)[];
}

export const emptyTable: PartitionTable = {
  members: {},
  owners: new Array<null>(partitionCount).fill(null),
};

export const withMember = (
  table: PartitionTable,
  instance: string,
  member: Member,
): PartitionTable => ({ ...table, members: { ...table.members, [instance]: member } });

/** Their partitions become nobody's. */
export const withoutMembers = (
  table: PartitionTable,
  gone: ReadonlySet<string>,
): PartitionTable => ({
  members: Object.fromEntries(Object.entries(table.members).filter(([name]) => !gone.has(name))),
  owners: table.owners.map((owner) => (owner !== null && gone.has(owner) ? null : owner)),
});

const staying = (table: PartitionTable): string[] =>
  Object.keys(table.members)
    .filter((name) => table.members[name]?.leaving !== true)
    .sort();

/** How many partitions each member that stays should own: they differ by one at most, and everyone computes the same. */
export const fairShares = (table: PartitionTable): Map<string, number> => {
  const names = staying(table);
  const each = Math.floor(table.owners.length / names.length);
  const over = table.owners.length % names.length;
  return new Map(names.map((name, rank) => [name, each + (rank < over ? 1 : 0)]));
};

const countsOf = (table: PartitionTable): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const owner of table.owners) {
    if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
};

/** Gives what is nobody's to the members that own least. The same table when there is nothing to give or nobody to take it. */
export const withOrphansAdopted = (table: PartitionTable): PartitionTable => {
  const names = staying(table);
  const known = (owner: string | null): boolean => owner !== null && owner in table.members;
  if (names.length === 0 || table.owners.every(known)) return table;
  const counts = countsOf(table);
  const owners = table.owners.map((owner) => {
    if (known(owner)) return owner;
    const [least] = names.sort(
      (a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || (a < b ? -1 : 1),
    );
    const adopter = least ?? null;
    if (adopter !== null) counts.set(adopter, (counts.get(adopter) ?? 0) + 1);
    return adopter;
  });
  return { ...table, owners };
};

/**
 * What `giver` should hand to whom, so that all shares become fair. Every member computes the same
 * whole exchange from the same table and carries out its own part, so that nobody is given too much.
 */
export const handOvers = (table: PartitionTable, giver: string): Map<number, string> => {
  const shares = fairShares(table);
  const counts = countsOf(table);
  const takers: string[] = [];
  for (const [name, share] of shares) {
    for (let lack = share - (counts.get(name) ?? 0); lack > 0; lack--) takers.push(name);
  }
  const moves = new Map<number, string>();
  let next = 0;
  for (const name of Object.keys(table.members).sort()) {
    let over = (counts.get(name) ?? 0) - (shares.get(name) ?? 0);
    for (let at = table.owners.length - 1; at >= 0 && over > 0; at--) {
      if (table.owners[at] !== name) continue;
      const taker = takers[next++];
      if (taker === undefined) return moves;
      if (name === giver) moves.set(at, taker);
      over--;
    }
  }
  return moves;
};

/** Only what `giver` still owns moves, and only to members that are still there. */
export const withHandedOver = (
  table: PartitionTable,
  giver: string,
  moves: ReadonlyMap<number, string>,
): PartitionTable => ({
  ...table,
  owners: table.owners.map((owner, at) => {
    const taker = moves.get(at);
    return owner === giver && taker !== undefined && taker in table.members ? taker : owner;
  }),
});
