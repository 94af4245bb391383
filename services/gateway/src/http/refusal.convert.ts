import type { RefusalFields } from './http-refusal.js';

/** OpenAI's error shape, which their SDKs turn into their own exceptions. */
export const toOpenAiError = (fields: RefusalFields): object => ({
  error: {
    message: fields.message,
    type: fields.type,
    param: fields.param ?? null,
    code: fields.code,
    ...fields.extra,
  },
});

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

export const problemType = (problem: string): string => `urn:tollkeeper:problem:${problem}`;

const titleOf = ({ problem, status }: RefusalFields): string =>
  problem === undefined
    ? (titles[status] ?? 'Error')
    : `${problem.charAt(0).toUpperCase()}${problem.slice(1).replaceAll('-', ' ')}`;

/** RFC 9457. */
export const toProblem = (fields: RefusalFields): object => ({
  type: fields.problem === undefined ? 'about:blank' : problemType(fields.problem),
  title: titleOf(fields),
  status: fields.status,
  detail: fields.message,
  ...(fields.code === null ? {} : { code: fields.code }),
  ...fields.extra,
});
