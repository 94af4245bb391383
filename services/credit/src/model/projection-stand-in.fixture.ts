import { projectionSubjects, type DueItem } from '@tollkeeper/contracts';
import { creditStream, fromStoredCredit } from '@tollkeeper/events';
import type { EventStore } from '@tollkeeper/event-store';
import type { NatsConnection } from '@tollkeeper/messaging';

/**
 * Answers the credit service in the projection's place: its list of what is due has just what a life wants to be done
 * next, and its index of reservations is read from the store.
 */
export class ProjectionStandIn {
  recalled = 0;
  private due: readonly DueItem[] = [];
  private polls = 0;
  private onPoll: (() => void) | undefined;

  constructor(
    nats: NatsConnection,
    private readonly store: EventStore,
  ) {
    nats.subscribe(projectionSubjects.due, {
      callback: (error, message) => {
        if (error) return;
        this.polls++;
        const asOf = new Date().toISOString();
        message.respond(JSON.stringify({ due: this.due, next: null, asOf }));
        this.onPoll?.();
      },
    });
    nats.subscribe(projectionSubjects.recall('*'), {
      callback: (error, message) => {
        if (error) return;
        this.recalled++;
        const accountId = message.subject.split('.').at(-1) ?? '';
        const { id } = message.json<{ readonly id: string }>();
        void this.look(accountId, id).then((reply) => message.respond(JSON.stringify(reply)));
      },
    });
  }

  /** Resolves once the service has done it, or found that it is not due: a round begins when the one before is over. */
  async carryOut(item: DueItem): Promise<void> {
    this.due = [item];
    const seen = this.polls;
    await new Promise<void>((resolve) => {
      this.onPoll = () => {
        if (this.polls >= seen + 2) resolve();
      };
    });
    this.onPoll = undefined;
    this.due = [];
    const now = this.polls;
    // The round that was told of it last is over as well.
    await new Promise<void>((resolve) => {
      this.onPoll = () => {
        if (this.polls > now) resolve();
      };
    });
    this.onPoll = undefined;
  }

  private async look(accountId: string, id: string) {
    const revisions: number[] = [];
    let indexedRevision = -1;
    for await (const recorded of this.store.read(creditStream(accountId))) {
      indexedRevision = recorded.revision;
      const { data } = fromStoredCredit(recorded);
      if ('reservationId' in data && data.reservationId === id) revisions.push(indexedRevision);
    }
    return { revisions, indexedRevision };
  }
}
