/**
 * What the projection service publishes to JetStream: every event of the credit accounts, in an account's order, at
 * least once, but for one that is larger than a message may be; `Nats-Msg-Id` is the event's id. The subject's second last part is the event's type, so that a
 * payment adapter follows `ledger.v1.TopUpRequested.*` alone.
 */
export const ledgerSubjects = {
  stream: 'LEDGER',
  all: 'ledger.v1.>',
  event: (type: string, accountId: string): string => `ledger.v1.${type}.${accountId}`,
} as const;

/** Types and data: `@tollkeeper/events`, or docs of the stored events. Times ISO 8601. */
export interface LedgerEventMessage {
  readonly id: string;
  readonly type: string;
  readonly accountId: string;
  /** Its place in the account's stream, from 0 on, without a gap. */
  readonly revision: number;
  readonly occurredAt: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly commandId: string;
  readonly actor: string;
  readonly data: unknown;
}
