import type { Refused } from '@tollkeeper/contracts';
import { problemOf, type HttpRefusal } from '../http/http-refusal.js';

const statuses: Readonly<Record<string, number>> = {
  'not-authorized': 401,
  'not-permitted': 403,
  'own-proposal': 403,
  'unknown-config': 404,
  'unknown-price': 404,
  'unknown-alert': 404,
  'unknown-setting': 404,
  'unknown-account': 404,
  'unknown-reservation': 404,
  'not-pending': 409,
  'not-in-force': 409,
  'replay-mismatch': 409,
  'invalid-request': 422,
  'below-cost': 422,
  'implausible-rate': 422,
  'exchange-rate-missing': 422,
  'no-terms': 422,
  busy: 503,
  'store-unavailable': 503,
  internal: 503,
  'no-reply': 503,
};

/** What may pass is never the caller's fault; a refusal of a kind that is not known here is. */
export const statusOf = ({ reason, retryable }: Pick<Refused, 'reason' | 'retryable'>): number =>
  statuses[reason] ?? (retryable ? 503 : 422);

export const toPricingProblem = (refused: Refused): HttpRefusal => {
  const status = statusOf(refused);
  return problemOf(status, refused.reason, refused.message, {
    ...(refused.details && { extra: { details: refused.details } }),
    ...((status === 503 || refused.retryable) && { retryAfterS: 1 }),
  });
};
