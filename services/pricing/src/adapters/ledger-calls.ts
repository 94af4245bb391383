import {
  chargedCallsReply,
  creditSubjects,
  headers,
  projectionSubjects,
  rerateReply,
} from '@tollkeeper/contracts';
import { request, type NatsConnection } from '@tollkeeper/messaging';
import type { ReadChargedCalls } from '../application/charged-calls.js';
import type { PostRerating } from '../application/reratings.js';

const readTimeoutMs = 30_000;
const postTimeoutMs = 5_000;

/** What calls were charged for, as the projection has followed them. */
export const projectionCalls =
  (nats: NatsConnection): ReadChargedCalls =>
  async (query) =>
    chargedCallsReply.parse(
      await request(nats, projectionSubjects.chargedCalls, query, { timeoutMs: readTimeoutMs }),
    );

/** Only the owner of an account books on it. */
export const creditReratings =
  (nats: NatsConnection): PostRerating =>
  async (accountId, { commandId, ...rerate }, actor) =>
    rerateReply.parse(
      await request(nats, creditSubjects.rerate(accountId), rerate, {
        timeoutMs: postTimeoutMs,
        headers: { [headers.commandId]: commandId, [headers.actor]: actor },
      }),
    );
