import { projectionSubjects, recallReply } from '@tollkeeper/contracts';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { ReservationIndex } from '../application/recall.js';

const timeoutMs = 1_000;

/** The projection's read models as the index: they have each reservation's row anyway. */
export const projectionIndex = (nats: NatsConnection): ReservationIndex => ({
  look: async (accountId, id) =>
    recallReply.parse(
      await request(nats, projectionSubjects.recall(accountId), { id }, { timeoutMs }),
    ),
});
