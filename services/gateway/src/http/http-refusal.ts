/** What an HTTP caller gets instead of an answer, in no particular shape yet. */
export interface RefusalFields {
  readonly status: number;
  /** OpenAI's family of errors, e.g. `invalid_request_error`. */
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  readonly param?: string;
  readonly retryAfterS?: number;
  /** What kind of problem it is, as a kebab-case fact; absent: no more than the status says. */
  readonly problem?: string;
  /** False: SDKs that would try such a status again are told not to. */
  readonly shouldRetry?: false;
  /** More fields of the error, e.g. the balance. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Thrown to end a request; the filter gives it the shape of the route. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';

  constructor(readonly fields: RefusalFields) {
    super(fields.message);
  }
}

/** A problem of a kind of its own (RFC 9457). */
export const problemOf = (
  status: number,
  problem: string,
  message: string,
  more: Pick<RefusalFields, 'extra' | 'retryAfterS'> = {},
): HttpRefusal => {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return new HttpRefusal({ status, type, code: problem, problem, message, ...more });
};

export const invalidRequest = (
  message: string,
  param?: string,
  code: string | null = null,
): HttpRefusal =>
  new HttpRefusal({
    status: 400,
    type: 'invalid_request_error',
    code,
    message,
    ...(param === undefined ? {} : { param }),
  });

export const unauthorized = (message: string): HttpRefusal =>
  new HttpRefusal({
    status: 401,
    type: 'invalid_request_error',
    code: 'invalid_api_key',
    problem: 'not-authorized',
    message,
  });

export const forbidden = (message: string, code: string): HttpRefusal =>
  new HttpRefusal({ status: 403, type: 'invalid_request_error', code, message });

export const unavailable = (message: string, code: string, retryAfterS = 1): HttpRefusal =>
  new HttpRefusal({ status: 503, type: 'server_error', code, message, retryAfterS });
