/** What the gateway publishes to JetStream after a completion, for other services; not awaited. */
export const completionSubjects = {
  stream: 'COMPLETIONS',
  completed: (accountId: string): string => `completion.v1.completed.${accountId}`,
  failed: (accountId: string): string => `completion.v1.failed.${accountId}`,
} as const;

export interface CompletionEnded {
  readonly requestId: string;
  readonly reservationId: string;
  readonly accountId: string;
  readonly userId: string;
  readonly provider: string;
  readonly model: string;
  readonly provenance?: string;
  readonly chargeCredits?: string;
  readonly costUsd?: string;
  readonly failure?: string;
  readonly endedAt: string;
}
