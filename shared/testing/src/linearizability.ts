/** One operation as its caller saw it. Times are of one clock, in any unit. */
export interface Operation<C, R> {
  readonly command: C;
  readonly invokedAt: number;
  /** Infinity when no answer came: it may have happened at any time since, or never. */
  readonly returnedAt: number;
  /** Undefined when no answer came. */
  readonly reply: R | undefined;
}

/** What one object does when operations come one after the other. */
export interface SequentialSpecification<S, C, R> {
  readonly initial: () => S;
  /** The state after the command, or undefined where the reply is not the one that it gives. */
  readonly step: (state: S, command: C, reply: R | undefined) => S | undefined;
  /** Equal for states that no later step can tell apart. */
  readonly key: (state: S) => string;
}

export interface Linearization {
  readonly linearizable: boolean;
  /** The longest order that was found, as places in the history: where it ends, the trouble begins. */
  readonly order: readonly number[];
  readonly statesSeen: number;
}

interface Frame<S> {
  readonly state: S;
  readonly done: bigint;
  readonly order: readonly number[];
}

/**
 * Whether some order of the operations explains every reply and keeps to real time: the search of Wing and Gong, which
 * takes any operation that began before every other one returned, with Lowe's memory of what was tried already.
 */
export const linearize = <S, C, R>(
  history: readonly Operation<C, R>[],
  specification: SequentialSpecification<S, C, R>,
): Linearization => {
  const seen = new Set<string>();
  let longest: readonly number[] = [];
  const answered = history.filter(({ reply }) => reply !== undefined).length;
  const stack: Frame<S>[] = [{ state: specification.initial(), done: 0n, order: [] }];
  for (let frame = stack.pop(); frame; frame = stack.pop()) {
    const { state, done, order } = frame;
    const replies = order.filter((place) => history[place]?.reply !== undefined).length;
    if (order.length > longest.length) longest = order;
    if (replies === answered) return { linearizable: true, order, statesSeen: seen.size };
    for (const place of nextPlaces(history, done)) {
      const operation = history[place];
      if (!operation) continue;
      const after = specification.step(state, operation.command, operation.reply);
      if (after === undefined) continue;
      const doneAfter = done | (1n << BigInt(place));
      const key = `${doneAfter.toString(36)} ${specification.key(after)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      stack.push({ state: after, done: doneAfter, order: [...order, place] });
    }
  }
  return { linearizable: false, order: longest, statesSeen: seen.size };
};

/** Those that may come next, the earliest to return last, so that the stack tries it first. */
const nextPlaces = (history: readonly Operation<unknown, unknown>[], done: bigint): number[] => {
  const left: { readonly place: number; readonly operation: Operation<unknown, unknown> }[] = [];
  let firstReturn = Infinity;
  for (const [place, operation] of history.entries()) {
    if ((done >> BigInt(place)) & 1n) continue;
    left.push({ place, operation });
    firstReturn = Math.min(firstReturn, operation.returnedAt);
  }
  return left
    .filter(({ operation }) => operation.invokedAt <= firstReturn)
    .sort((a, b) => b.operation.returnedAt - a.operation.returnedAt)
    .map(({ place }) => place);
};
