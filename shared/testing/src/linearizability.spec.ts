import { describe, expect, it } from 'vitest';
import { linearize, type Operation, type SequentialSpecification } from './linearizability.js';

type Command = { readonly write: number } | 'read';

const register: SequentialSpecification<number, Command, number> = {
  initial: () => 0,
  step: (state, command, reply) => {
    if (command !== 'read') return command.write;
    return reply === undefined || reply === state ? state : undefined;
  },
  key: String,
};

const operation = (
  command: Command,
  invokedAt: number,
  returnedAt: number,
  reply: number | undefined = 0,
): Operation<Command, number> => ({ command, invokedAt, returnedAt, reply });

const never = Infinity;

describe('the checker of histories', () => {
  it.each([
    ['an empty one', true, []],
    ['one after the other', true, [operation({ write: 1 }, 0, 1), operation('read', 2, 3, 1)]],
    ['a read of the past', false, [operation({ write: 1 }, 0, 1), operation('read', 2, 3, 0)]],
    ['a read during the write', true, [operation({ write: 1 }, 0, 3), operation('read', 1, 2, 0)]],
    [
      'two reads that saw a write come and go',
      false,
      [operation({ write: 1 }, 0, 9), operation('read', 1, 2, 1), operation('read', 3, 4, 0)],
    ],
    [
      'a write of unknown outcome that took place later',
      true,
      [
        { ...operation({ write: 1 }, 0, never), reply: undefined },
        operation('read', 1, 2, 0),
        operation('read', 3, 4, 1),
      ],
    ],
    [
      'a write of unknown outcome that never took place',
      true,
      [{ ...operation({ write: 1 }, 0, never), reply: undefined }, operation('read', 3, 4, 0)],
    ],
    [
      'a write of unknown outcome before it began',
      false,
      [operation('read', 0, 1, 1), { ...operation({ write: 1 }, 2, never), reply: undefined }],
    ],
  ] as const)('%s: linearizable is %s', (_, linearizable, history) => {
    expect(linearize(history, register).linearizable).toBe(linearizable);
  });

  it('ends soon on sixty operations of eight clients', () => {
    const history = Array.from({ length: 60 }, (_, n) =>
      operation(n % 3 === 0 ? 'read' : { write: n }, n, n + 8, n === 0 ? 0 : n - 1),
    );
    expect(linearize(history, register).statesSeen).toBeLessThan(200_000);
  });
});
