import { problemOf } from '../http/http-refusal.js';
import type { Operation } from '../http/operation.js';
import {
  idempotencyKeyOf,
  readFields,
  readParams,
  type RawRequest,
} from '../http/request-fields.js';
import { adminKeyOf } from '../identity/admin-key.js';

/** A request of an admin, as far as it can be judged before anybody is asked. */
export interface PricingCall<Fields, Params> {
  readonly adminKey: string;
  /** Undefined where the caller leaves it to us. */
  readonly commandId: string | undefined;
  readonly fields: Fields;
  readonly params: Params;
}

/** @throws HttpRefusal 401 without an admin key, 422 for what the operation does not take. */
export const readCall = <Fields, Params>(
  operation: Operation<Fields, Params>,
  request: RawRequest,
): PricingCall<Fields, Params> => {
  const adminKey = adminKeyOf(request.headers['authorization'] as string | undefined);
  if (adminKey === undefined) {
    throw problemOf(401, 'not-authorized', 'Send an admin key as "Authorization: Bearer tka_…".');
  }
  return {
    adminKey,
    commandId: idempotencyKeyOf(request),
    params: readParams(operation, request),
    fields: readFields(operation, request),
  };
};
