import type { Beat, LeaseStore, Versioned } from './lease-store.js';
import type { PartitionTable } from './partition-table.js';

export type Failure = 'none' | 'lost-request' | 'lost-reply';

/** The lease store in memory, of which each instance has a connection of its own that may fail. */
export class FakeLeaseStore {
  private readonly values = new Map<string, Versioned<unknown>>();
  private revision = 0;

  clear(): void {
    this.values.clear();
    this.revision = 0;
  }

  /** `nextFailure` is asked before each request, which then travels for as long as `travel` takes, and its reply as well. */
  connection(
    nextFailure: () => Failure = () => 'none',
    travel: () => Promise<void> = () => Promise.resolve(),
  ): LeaseStore {
    const request = async <T>(serve: () => T): Promise<T> => {
      const failure = nextFailure();
      await travel();
      if (failure === 'lost-request') throw new Error('lost request');
      const reply = serve();
      await travel();
      if (failure === 'lost-reply') throw new Error('lost reply');
      return reply;
    };
    const read = <T>(key: string): Promise<Versioned<T> | undefined> =>
      request(() => this.values.get(key) as Versioned<T> | undefined);
    const write = (key: string, value: unknown, expected: number): Promise<number | 'conflict'> =>
      request(() => {
        if ((this.values.get(key)?.revision ?? 0) !== expected) return 'conflict';
        this.values.set(key, { value, revision: ++this.revision });
        return this.revision;
      });
    return {
      readBeat: (instance) => read<Beat>(`beat.${instance}`),
      writeBeat: (instance, beat, expected) => write(`beat.${instance}`, beat, expected),
      readTable: () => read<PartitionTable>('table'),
      writeTable: (table, expected) => write('table', table, expected),
      onTableWrite: () => undefined,
    };
  }
}
