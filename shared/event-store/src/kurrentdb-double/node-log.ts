/** An event as a node keeps it: bytes. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly created: Date;
}

export type ProposedEvent = Pick<LoggedEvent, 'id' | 'type' | 'isJson' | 'data' | 'metadata'>;

/** A revision, or -1 for no stream, or -2 for any. */
export type ExpectedState = number;

export type Check =
  | { readonly type: 'ok' }
  | { readonly type: 'stored before'; readonly revision: number }
  | { readonly type: 'violated'; readonly actual: number };

/** What a node does with an append, by its ids and its expected state, in memory. */
export class NodeLog {
  readonly events: LoggedEvent[] = [];
  private readonly streams = new Map<string, LoggedEvent[]>();
  private readonly ids = new Map<string, LoggedEvent>();
  private readonly listeners = new Set<() => void>();

  stream(name: string): readonly LoggedEvent[] {
    return this.streams.get(name) ?? [];
  }

  check(stream: string, expected: ExpectedState, ids: readonly string[]): Check {
    const stored = this.stream(stream);
    const actual = stored.length - 1;
    const first = this.ids.get(ids[0] ?? '');
    const before =
      expected === -2 ? (first?.stream === stream ? first.revision - 1 : actual) : expected;
    if (before === actual) return { type: 'ok' };
    const same = ids.every((id, index) => stored[before + 1 + index]?.id === id);
    return same && before < actual
      ? { type: 'stored before', revision: before + ids.length }
      : { type: 'violated', actual };
  }

  write(stream: string, { id, type, isJson, data, metadata }: ProposedEvent): number {
    const stored = this.streams.get(stream) ?? [];
    const event: LoggedEvent = {
      id,
      type,
      isJson,
      data,
      metadata,
      stream,
      revision: stored.length,
      position: this.events.length,
      created: new Date(),
    };
    stored.push(event);
    this.streams.set(stream, stored);
    this.events.push(event);
    this.ids.set(id, event);
    return event.revision;
  }

  /** Call it when all events of an append are written. */
  wake(): void {
    for (const listener of this.listeners) listener();
  }

  onStored(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
