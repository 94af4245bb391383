import type { PriceBookEvent } from '@tollkeeper/events';

/** Why nothing is recorded. */
export type BookRefusal =
  | 'invalid-request'
  | 'own-proposal'
  | 'unknown-config'
  | 'unknown-price'
  | 'unknown-alert'
  | 'unknown-setting'
  | 'not-pending'
  | 'not-in-force'
  | 'below-cost'
  | 'implausible-rate'
  | 'exchange-rate-missing';

export interface Refusal {
  readonly refused: BookRefusal;
  readonly message: string;
}

/** What a command records in its stream; none where it finds everything as it would have it. */
export type Verdict = readonly PriceBookEvent[] | Refusal;

export const refuse = (refused: BookRefusal, message: string): Refusal => ({ refused, message });

export const isRefusal = (verdict: object): verdict is Refusal => 'refused' in verdict;
