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

const modelRefusal = (status: number, code: string, message: string): HttpRefusal =>
  new HttpRefusal({ status, type: 'invalid_request_error', code, message, param: 'model' });

/**
 * The operator's multiplier is at fault, not the caller: 503, so that it shows where failures are watched. Trying again
 * does not help before an admin has changed it.
 */
const belowCost = (): HttpRefusal =>
  new HttpRefusal({
    status: 503,
    type: 'server_error',
    code: 'below_cost',
    message: 'The model is not for sale at present. Choose another one.',
    param: 'model',
    shouldRetry: false,
  });

const notReady = (refused: Refused): HttpRefusal =>
  unavailable('The ledger is not ready.', codeOf(refused), retryAfterS(refused));

const codeOf = (refused: Refused): string => refused.reason.replaceAll('-', '_').slice(0, 64);

const converters: Readonly<Record<string, (refused: Refused) => HttpRefusal>> = {
  'insufficient-credits': insufficient,
  'debt-outstanding': insufficient,
  'limit-reached': limitReached,
  'free-tier-budget': freeTierBudget,
  'rate-limited': rateLimited,
  'model-not-in-tier': ({ message }) => modelRefusal(403, 'model_not_in_tier', message),
  'unknown-price': ({ message }) => modelRefusal(404, 'unknown_price', message),
  'below-cost': belowCost,
  'account-frozen': () => forbidden('The account of this API key is frozen.', 'account_frozen'),
  'unknown-account': () =>
    forbidden('The account of this API key does not exist.', 'unknown_account'),
  'account-parked': () => forbidden('The account of this API key is parked.', 'account_parked'),
  unbounded: ({ message }) => invalidRequest(message, undefined, 'unbounded'),
  overloaded: (refused) =>
    unavailable(
      'Too many calls of this account are waiting.',
      codeOf(refused),
      retryAfterS(refused),
    ),
  'too-late': () => unavailable('The call waited too long for its reservation.', 'too_late'),
  'index-behind': notReady,
  'not-owner': notReady,
  'store-unavailable': notReady,
};

/** A refusal to reserve as the caller sees it. One that is new here is ours to mend, unless it can be retried. */
export const toHttpRefusal = (refused: Refused): HttpRefusal => {
  const convert = Object.hasOwn(converters, refused.reason)
    ? converters[refused.reason]
    : undefined;
  if (convert) return convert(refused);
  if (refused.retryable) return notReady(refused);
  return new HttpRefusal({
    status: 500,
    type: 'server_error',
    code: codeOf(refused),
    message: 'The call could not be reserved.',
  });
};
