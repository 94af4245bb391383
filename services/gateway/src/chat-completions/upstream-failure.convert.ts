import type { RefusalFields } from '../http/http-refusal.js';
import type { UpstreamEnd } from '../vendors/upstream-call.js';

/** The caller's own faults: passed on as they came. */
const passedOnStatuses = new Set([400, 404, 409, 413, 415, 422]);
type Complete = Extract<UpstreamEnd, { kind: 'complete' }>;

const messageLengthMax = 2_000;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const vendorsError = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const body: unknown = JSON.parse(text);
    const error = isRecord(body) ? body['error'] : undefined;
    return isRecord(error) ? error : {};
  } catch {
    return {};
  }
};

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value.slice(0, messageLengthMax) : otherwise;

const seconds = (value: unknown): number => {
  const read = Number(value);
  return Number.isFinite(read) && read > 0 ? Math.min(Math.ceil(read), 3_600) : 1;
};

const serverError = (status: number, code: string, message: string): RefusalFields => ({
  status,
  type: 'server_error',
  code,
  message,
});

/** True for statuses behind which a proxy gave up on a vendor that may have gone on, and billed. */
export const leavesBillingOpen = (status: number): boolean => status === 504 || status === 524;

const overloaded = (retryAfter: unknown): RefusalFields => ({
  ...serverError(503, 'upstream_overloaded', 'The vendor is overloaded.'),
  retryAfterS: seconds(retryAfter),
});

/** The vendor's text names our organisation, and its "insufficient_quota" is about our account, not the caller's. */
const rateLimited = (end: Complete): RefusalFields =>
  vendorsError(end.errorText)['code'] === 'insufficient_quota'
    ? overloaded(end.headers['retry-after'])
    : {
        status: 429,
        type: 'rate_limit_error',
        code: 'rate_limit_exceeded',
        message: 'The vendor limits the rate of calls.',
        retryAfterS: seconds(end.headers['retry-after']),
      };

const callersFault = (end: Complete, secret: string | undefined): RefusalFields => {
  const error = vendorsError(end.errorText);
  const message = textOr(error['message'], `The vendor refused with status ${String(end.status)}.`);
  return {
    status: end.status,
    type: textOr(error['type'], 'invalid_request_error'),
    code: typeof error['code'] === 'string' ? error['code'].slice(0, 100) : null,
    message: secret === undefined ? message : message.replaceAll(secret, '…'),
    ...(typeof error['param'] === 'string' ? { param: error['param'].slice(0, 100) } : {}),
  };
};

/**
 * A vendor's refusal as the client sees it. What concerns our account at the vendor (its key, its right to a
 * model) is our fault, and its text may quote the key, so it becomes a bare 502.
 *
 * @param secret our key at that vendor, which no message may hold
 */
export const toRefusal = (end: UpstreamEnd, secret?: string): RefusalFields => {
  if (end.kind === 'unreached') {
    return serverError(502, 'upstream_unreachable', 'The vendor could not be reached.');
  }
  if (end.kind === 'lost') {
    return end.timedOut
      ? serverError(504, 'upstream_timeout', 'The vendor did not answer in time.')
      : serverError(502, 'upstream_lost', 'The vendor broke off its answer.');
  }
  const { status } = end;
  if (passedOnStatuses.has(status)) return callersFault(end, secret);
  if (status === 429) return rateLimited(end);
  if (status === 503 || status === 529) return overloaded(end.headers['retry-after']);
  return leavesBillingOpen(status)
    ? serverError(504, 'upstream_timeout', 'The vendor did not answer in time.')
    : serverError(502, 'upstream_error', `The vendor failed with status ${String(status)}.`);
};

/** For the event's record: a kebab-case fact. */
export const failureOf = (end: UpstreamEnd): string => {
  if (end.kind === 'unreached') return 'unreached';
  if (end.kind === 'lost') return end.timedOut ? 'timed-out' : 'broken-off';
  return `status-${String(end.status)}`;
};
