import type { Refused, ShortfallDetails } from '@tollkeeper/contracts';
import { forbidden, HttpRefusal, invalidRequest, unavailable } from '../http/http-refusal.js';

const insufficient = (refused: Refused): HttpRefusal => {
  const details = (refused.details ?? {}) as Partial<ShortfallDetails>;
  return new HttpRefusal({
    status: 402,
    type: 'insufficient_quota',
    code: 'insufficient_credits',
    message: refused.message,
    extra: {
      reason: refused.reason,
      balance: details.balance,
      available: details.available,
      required: details.required,
      balance_usd: details.balanceUsd,
      required_usd: details.requiredUsd,
      suggestions: details.suggestions ?? [],
    },
  });
};

/** Whole seconds, rounded up. */
const retryAfterS = ({ details }: Refused): number => {
  const ms = details?.['retryAfterMs'];
  return typeof ms === 'number' && ms > 0 ? Math.ceil(ms / 1_000) : 1;
};

/** A refusal to reserve as the caller sees it. */
export const toHttpRefusal = (refused: Refused): HttpRefusal => {
  switch (refused.reason) {
    case 'insufficient-credits':
    case 'debt-outstanding':
      return insufficient(refused);
    case 'unknown-account':
      return forbidden('The account of this API key does not exist.', 'unknown_account');
    case 'account-parked':
      return forbidden('The account of this API key is parked.', 'account_parked');
    case 'unknown-price':
      return new HttpRefusal({
        status: 404,
        type: 'invalid_request_error',
        code: 'unknown_price',
        message: refused.message,
        param: 'model',
      });
    case 'unbounded':
      return invalidRequest(refused.message, undefined, 'unbounded');
    case 'overloaded':
      return unavailable('Too many calls are waiting.', 'overloaded', retryAfterS(refused));
    case 'too-late':
      return unavailable('The call waited too long for its reservation.', 'too_late');
    default:
      return refused.retryable
        ? unavailable(
            'The ledger is not ready.',
            refused.reason.replaceAll('-', '_'),
            retryAfterS(refused),
          )
        : new HttpRefusal({
            status: 500,
            type: 'server_error',
            code: refused.reason.replaceAll('-', '_').slice(0, 64),
            message: 'The call could not be reserved.',
          });
  }
};
