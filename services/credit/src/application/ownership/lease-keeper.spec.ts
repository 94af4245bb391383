import { partitionCount } from '@tollkeeper/contracts';
import { createLogger } from '@tollkeeper/telemetry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeLeaseStore, type Failure } from './fake-lease-store.fixture.js';
import { defaultLeaseTimes, LeaseKeeper, type LeaseTimes } from './lease-keeper.js';
import type { LeaseStore } from './lease-store.js';

const logger = createLogger('lease-spec');
logger.level = 'silent';
const { leaseMs } = defaultLeaseTimes;
const partitions = [...new Array(partitionCount).keys()];

interface Instance {
  readonly keeper: LeaseKeeper;
  /** Its connection. */
  readonly store: { -readonly [method in keyof LeaseStore]: LeaseStore[method] };
  readonly changed: number[][];
  superseded: boolean;
  failure: Failure;
  /** Messages to and from the store stay on their way until they are let go. */
  slow: boolean;
  readonly travelling: (() => void)[];
}

/** Instances over one store, whose monotonic time passes by hand. */
const world = () => {
  const store = new FakeLeaseStore();
  const state = { nowMs: 0 };
  const instanceOf = (
    name: string,
    drain: (some: readonly number[]) => Promise<readonly number[]> = (some) =>
      Promise.resolve(some),
    times: LeaseTimes = defaultLeaseTimes,
  ): Instance => {
    const connection = store.connection(
      () => made.failure,
      () =>
        made.slow ? new Promise((resolve) => made.travelling.push(resolve)) : Promise.resolve(),
    );
    const made: Instance = {
      store: connection,
      keeper: new LeaseKeeper({
        instance: name,
        store: connection,
        logger,
        nowMs: () => state.nowMs,
        times,
        drain,
        onChanged: (some) => made.changed.push([...some]),
        onSuperseded: () => (made.superseded = true),
      }),
      changed: [],
      superseded: false,
      failure: 'none',
      slow: false,
      travelling: [],
    };
    return made;
  };
  const turn = async (...instances: readonly Instance[]): Promise<void> => {
    for (const { keeper } of instances) {
      await keeper.beat();
      await keeper.step().catch(() => undefined);
    }
  };
  /** Passes a second at a time, in which these instances do their work. */
  const pass = async (ms: number, ...instances: readonly Instance[]): Promise<void> => {
    for (const until = state.nowMs + ms; state.nowMs < until;) {
      state.nowMs += Math.min(1_000, until - state.nowMs);
      await turn(...instances);
    }
  };
  return { store, state, instanceOf, turn, pass };
};

const servedBy = ({ keeper }: Instance): number[] => partitions.filter((at) => keeper.serves(at));

describe('leases of partitions', () => {
  it('are all of the first instance at once', async () => {
    const { instanceOf } = world();
    const a = instanceOf('a');
    await a.keeper.join();
    expect(servedBy(a)).toEqual(partitions);
    expect(a.keeper.hasPeers).toBe(false);
  });

  it('are handed to a newcomer by their holders, each drained first', async () => {
    const { instanceOf, turn } = world();
    const drained: number[] = [];
    const a = instanceOf('a', (some) => {
      expect(some.some((at) => a.keeper.serves(at))).toBe(false);
      drained.push(...some);
      return Promise.resolve(some);
    });
    const b = instanceOf('b');
    await a.keeper.join();
    await b.keeper.join();
    expect(servedBy(b)).toEqual([]);
    await turn(a, b);
    expect([servedBy(a).length, servedBy(b).length]).toEqual([32, 32]);
    expect(drained.sort((x, y) => x - y)).toEqual(servedBy(b));
    expect(b.changed.flat().sort((x, y) => x - y)).toEqual(servedBy(b));
  });

  it('stay where something is still in flight', async () => {
    const { instanceOf, turn } = world();
    const a = instanceOf('a', (some) => Promise.resolve(some.slice(1)));
    const b = instanceOf('b');
    await a.keeper.join();
    await b.keeper.join();
    await turn(a, b);
    expect([servedBy(a).length, servedBy(b).length]).toEqual([33, 31]);
  });

  it('of a silent instance are taken after the lease time, and shared again when it is back', async () => {
    const { instanceOf, turn, pass, state } = world();
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    await a.keeper.join();
    await b.keeper.join();
    await turn(a, b);
    const silentAt = state.nowMs;
    while (servedBy(a).length < 64) {
      if (state.nowMs - silentAt < leaseMs) expect(servedBy(a)).toHaveLength(32);
      expect(state.nowMs - silentAt).toBeLessThan(leaseMs + 2_000);
      await pass(1_000, a);
    }
    await turn(b, a, b);
    expect([servedBy(a).length, servedBy(b).length]).toEqual([32, 32]);
  });

  it('of an instance with a longer lease time than the others’ are left to it for that time', async () => {
    const { instanceOf, turn, pass } = world();
    const a = instanceOf('a', undefined, { renewEveryMs: 6_000, leaseMs: 30_000 });
    const b = instanceOf('b');
    await a.keeper.join();
    await b.keeper.join();
    await turn(a, b);
    await pass(29_000, b);
    expect(servedBy(b)).toHaveLength(32);
    await pass(2_000, b);
    expect(servedBy(b)).toEqual(partitions);
  });

  it('that were handed over late, after no answer in time, are served by one', async () => {
    const { instanceOf, turn } = world();
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    await a.keeper.join();
    await b.keeper.join();
    // The hand-over is written while its writer has gone on without an answer.
    let isLate = false;
    let late: () => Promise<unknown> = () => Promise.resolve();
    const { writeTable } = a.store;
    a.store.writeTable = async (table, expected) => {
      if (!isLate) {
        isLate = true;
        late = () => writeTable(table, expected);
        throw new Error('no answer in time');
      }
      // It comes into force just before the next write.
      await late();
      late = () => Promise.resolve();
      return writeTable(table, expected);
    };
    await turn(a);
    await turn(a, b);
    expect([...servedBy(a), ...servedBy(b)].sort((x, y) => x - y)).toEqual(partitions);
  });

  it('are taken back at once by an instance that is restarted under its id', async () => {
    const { instanceOf, turn } = world();
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    await a.keeper.join();
    await b.keeper.join();
    await turn(a, b);
    const again = instanceOf('a');
    await again.keeper.join();
    expect(servedBy(again)).toEqual(servedBy(a));
  });

  it('belong to the later of two that go by one id', async () => {
    const { instanceOf, turn } = world();
    const [former, later] = [instanceOf('a'), instanceOf('a')];
    await former.keeper.join();
    await later.keeper.join();
    await turn(former);
    expect([former.superseded, later.superseded]).toEqual([true, false]);
    expect(servedBy(former)).toEqual([]);
    expect(servedBy(later)).toHaveLength(64);
  });

  it('are served on while the lease store is away', async () => {
    const { instanceOf, pass, turn } = world();
    const a = instanceOf('a');
    await a.keeper.join();
    a.failure = 'lost-request';
    await pass(4 * leaseMs, a);
    expect(servedBy(a)).toHaveLength(64);
    a.failure = 'none';
    await turn(a);
    expect(servedBy(a)).toHaveLength(64);
    expect(a.changed).toHaveLength(1);
  });

  it('survive a renewal whose confirmation was lost', async () => {
    const { instanceOf, turn } = world();
    const a = instanceOf('a');
    await a.keeper.join();
    a.failure = 'lost-reply';
    await turn(a);
    a.failure = 'none';
    await turn(a, a);
    expect(a.superseded).toBe(false);
    expect(servedBy(a)).toHaveLength(64);
  });

  it('are taken anew when the store has lost its memory', async () => {
    const { store, instanceOf, turn } = world();
    const a = instanceOf('a');
    await a.keeper.join();
    await turn(a, a, a);
    store.clear();
    await turn(a, a, a);
    expect(servedBy(a)).toHaveLength(64);
    expect(a.superseded).toBe(false);
  });

  it('of one that leaves are all handed over, and the rest knows at once', async () => {
    const { instanceOf, turn } = world();
    const [a, b] = [instanceOf('a'), instanceOf('b')];
    await a.keeper.join();
    await b.keeper.join();
    await turn(a, b);
    await a.keeper.leave(10_000);
    await turn(b);
    expect([servedBy(a).length, servedBy(b).length]).toEqual([0, 64]);
    await a.keeper.stop();
    await turn(b);
    expect(b.keeper.hasPeers).toBe(false);
  });

  it('are of one each and shared fairly in the end, whatever was lost, paused or slow', async () => {
    const name = fc.integer({ min: 0, max: 2 });
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('work' as const), name }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('beat' as const), name }) },
      { weight: 20, arbitrary: fc.record({ type: fc.constant('arrive' as const), name }) },
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant('pass' as const),
          ms: fc.integer({ min: 1, max: 3_000 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('fail' as const),
          name,
          failure: fc.constantFrom<Failure>('none', 'none', 'lost-request', 'lost-reply'),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 300, size: 'max' }), async (actions) => {
        const { instanceOf, turn, state } = world();
        const instances = ['a', 'b', 'c'].map((each) => instanceOf(each));
        for (const { keeper } of instances) await keeper.join();
        await turn(...instances);
        const running = new Set<Promise<unknown>>();
        const begin = (work: Promise<unknown>): void => {
          running.add(work);
          void work.finally(() => running.delete(work));
        };
        const stepping = new Set<Instance>();
        for (const instance of instances) instance.slow = true;
        for (const each of actions) {
          if (each.type === 'pass') state.nowMs += each.ms;
          else {
            const instance = instances[each.name];
            if (!instance) continue;
            if (each.type === 'fail') instance.failure = each.failure;
            else if (each.type === 'beat') begin(instance.keeper.beat());
            else if (each.type === 'arrive') instance.travelling.shift()?.();
            else if (!stepping.has(instance)) {
              stepping.add(instance);
              const step = instance.keeper.step().catch(() => undefined);
              begin(step.finally(() => stepping.delete(instance)));
            }
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const instance of instances) {
          instance.failure = 'none';
          instance.slow = false;
          for (const arrive of instance.travelling.splice(0)) arrive();
        }
        await Promise.all(running);
        for (let n = 0; n < 10; n++) {
          state.nowMs += 500;
          await turn(...instances);
        }
        expect(instances.map((each) => servedBy(each).length).sort()).toEqual([21, 21, 22]);
        expect(instances.flatMap(servedBy).sort((a, b) => a - b)).toEqual(partitions);
      }),
      { numRuns: 1000 },
    );
  });
});
