import type {
  FreeTierDetails,
  LimitDetails,
  Refused,
  ShortfallDetails,
} from '@tollkeeper/contracts';
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

/**
 * A budget that is used up is a lack of credits to a client, 402: SDKs raise it at once, where they would try a 429 again
 * for hours until the window resets.
 */
const limitReached = (refused: Refused): HttpRefusal => {
  const details = (refused.details ?? {}) as Partial<LimitDetails>;
  return new HttpRefusal({
    status: 402,
    type: 'insufficient_quota',
    code: 'limit_reached',
    message: refused.message,
    extra: {
      reason: refused.reason,
      limit_id: details.limitId,
      scope: details.scope,
      window: details.window,
      unit: details.unit,
      amount: details.amount,
      used: details.used,
      required: details.required,
      resets_at: details.resetsAt ?? null,
    },
  });
};

const freeTierBudget = (refused: Refused): HttpRefusal => {
  const details = (refused.details ?? {}) as Partial<FreeTierDetails>;
  return new HttpRefusal({
    status: 402,
    type: 'insufficient_quota',
    code: 'free_tier_budget',
    message: refused.message,
    extra: {
      reason: refused.reason,
      budget: details.budget,
      used: details.used,
      required: details.required,
      resets_at: details.resetsAt ?? null,
    },
  });
};

/** SDKs wait for as long as `Retry-After` says and try again. */
const rateLimited = (refused: Refused): HttpRefusal => {
  const { limitId, unit, amount } = (refused.details ?? {}) as Partial<LimitDetails>;
  return new HttpRefusal({
    status: 429,
    type: unit ?? 'requests',
    code: 'rate_limit_exceeded',
    message: refused.message,
    retryAfterS: retryAfterS(refused),
    extra: { reason: refused.reason, limit_id: limitId, amount },
  });
};

/** Whole seconds, never too early; one where nothing better is known. */
const retryAfterS = (refused: Refused): number => {
  const ms = refused.details?.['retryAfterMs'];
  return typeof ms === 'number' && ms > 0 ? Math.ceil(ms / 1000) : 1;
};

/** A refusal to reserve as the caller sees it. */
export const toHttpRefusal = (refused: Refused): HttpRefusal => {
  switch (refused.reason) {
    case 'insufficient-credits':
    case 'debt-outstanding':
      return insufficient(refused);
    case 'limit-reached':
      return limitReached(refused);
    case 'free-tier-budget':
      return freeTierBudget(refused);
    case 'rate-limited':
      return rateLimited(refused);
    case 'model-not-in-tier':
      return new HttpRefusal({
        status: 403,
        type: 'invalid_request_error',
        code: 'model_not_in_tier',
        message: refused.message,
        param: 'model',
      });
    case 'account-frozen':
      return forbidden('The account of this API key is frozen.', 'account_frozen');
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
      return unavailable(
        'Too many calls of this account are waiting.',
        'overloaded',
        retryAfterS(refused),
      );
    case 'index-behind':
    case 'not-owner':
    case 'store-unavailable':
      return unavailable(
        'The ledger is not ready.',
        refused.reason.replaceAll('-', '_'),
        retryAfterS(refused),
      );
    case 'too-late':
      return unavailable('The call waited too long for its reservation.', 'too_late');
    default:
      return refused.retryable
        ? unavailable('The ledger is not ready.', refused.reason.replaceAll('-', '_'))
        : new HttpRefusal({
            status: 500,
            type: 'server_error',
            code: refused.reason.replaceAll('-', '_').slice(0, 64),
            message: 'The call could not be reserved.',
          });
  }
};
