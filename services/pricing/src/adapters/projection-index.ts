import { projectionSubjects, recallReply } from '@tollkeeper/contracts';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { ReservationIndex } from '../application/stored-charge.js';

const timeoutMs = 2_000;

/** Where the events of a reservation stand, as far as the projection has followed the account. */
export const projectionIndex =
  (nats: NatsConnection): ReservationIndex =>
  async (accountId, reservationId) =>
    recallReply.parse(
      await request(
        nats,
        projectionSubjects.recall(accountId),
        { id: reservationId },
        { timeoutMs },
      ),
    );
