import { id, unreadFields } from '@tollkeeper/contracts';
import { problemOf, type HttpRefusal } from './http-refusal.js';
import type { Operation } from './operation.js';

/** What of an HTTP request is read here. */
export interface RawRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** What the operation takes; a field that nobody would read is refused, since it may be a misspelt one. @throws HttpRefusal 422 */
export const readFields = <Fields>(
  { method, fields }: Pick<Operation<Fields>, 'method' | 'fields'>,
  request: RawRequest,
): Fields => {
  const sent = sentTo(method, request);
  const parsed = fields.safeParse(sent);
  if (!parsed.success) throw invalid(parsed.error.issues);
  const unread = unreadFields(sent, parsed.data);
  if (unread.length > 0) {
    throw invalid(unread.map((path) => ({ path, message: 'is no field' })));
  }
  return parsed.data;
};

/** The parts of the path, decoded. @throws HttpRefusal 422 */
export const readParams = <Params>(
  { params }: Pick<Operation<unknown, Params>, 'params'>,
  request: RawRequest,
): Params => {
  const parsed = params.safeParse(request.params);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues);
};

/** The caller's own id of a command; undefined where there is none. @throws HttpRefusal 422 */
export const idempotencyKeyOf = ({ headers }: RawRequest): string | undefined => {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  const parsed = id.safeParse(key);
  if (parsed.success) return parsed.data;
  throw problemOf(422, 'invalid-request', 'Idempotency-Key must be 1 to 64 of A-Z a-z 0-9 _ -');
};

const sentTo = (method: Operation['method'], { query, body }: RawRequest): unknown => {
  if (method === 'GET') return withNumbers(asObject(query));
  if (method !== 'DELETE') return body ?? {};
  return { ...asObject(query), ...asObject(body) };
};

/** A query is text; `limit` is the one number in it. */
const withNumbers = ({ limit, ...rest }: Readonly<Record<string, unknown>>): object => {
  if (limit === undefined) return rest;
  const isNumber = typeof limit === 'string' && /^\d{1,9}$/.test(limit);
  return { ...rest, limit: isNumber ? Number(limit) : limit };
};

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const invalid = (issues: readonly Issue[]): HttpRefusal => {
  const errors = issues.map(({ path, message }) => ({ pointer: pointerOf(path), detail: message }));
  const message = issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
  return problemOf(422, 'invalid-request', message, { extra: { errors } });
};

/** A JSON pointer (RFC 6901) as the fragment of a URI. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  ['#', ...path.map((name) => encodeURIComponent(escaped(String(name))))].join('/');

/** Half of a surrogate pair has no encoding of its own. */
const escaped = (name: string): string =>
  name
    .replaceAll('~', '~0')
    .replaceAll('/', '~1')
    .replace(/\p{Cs}/gu, '\ufffd');
