import { id } from '@tollkeeper/contracts';
import type { z } from 'zod';
import type { Operation } from '../http/operation.js';
import { statusOf } from '../pricing-admin/pricing-refusal.convert.js';
import { answered, sent } from './components.js';
import { jsonSchemas, referenceTo, type JsonSchema } from './json-schema.js';
import { operations } from './operations.js';

type Document = Record<string, unknown>;

const pascal = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
const requestName = (operation: Operation): string => `${pascal(operation.id)}Request`;

const hasBody = ({ method }: Operation): boolean => method === 'POST' || method === 'PATCH';

/** A schema that has a name keeps it; the others are named after their operation. */
const replyName = (operation: Operation): string =>
  Object.entries(answered).find(([, schema]) => schema === operation.reply)?.[0] ??
  `${pascal(operation.id)}Reply`;

/**
 * OpenAPI 3.1 of the HTTP API, made from the contracts that the routes themselves parse by: zod writes JSON Schema
 * 2020-12, which is OpenAPI 3.1's, so that no library stands between.
 */
export const openApiDocument = (): Document => {
  const bodies = operations.filter(hasBody).map((each) => [requestName(each), each.fields]);
  const replies = operations.map((each) => [replyName(each), each.reply]);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tollkeeper: prices, multipliers and charges',
      version: '1.0.0',
      description:
        'Money is decimal text, times are ISO 8601. Changes take an `Idempotency-Key`: sent again with the same body they get the first answer.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(operations),
    components: {
      securitySchemes: {
        adminKey: { type: 'http', scheme: 'bearer', description: '`tka_…`: an actor in a role.' },
        apiKey: { type: 'http', scheme: 'bearer', description: '`tk_…`: a caller of an account.' },
      },
      schemas: {
        ...jsonSchemas('output', {
          ...answered,
          ...(Object.fromEntries(replies) as Record<string, z.ZodType>),
        }),
        ...jsonSchemas('input', {
          ...sent,
          ...(Object.fromEntries(bodies) as Record<string, z.ZodType>),
        }),
      },
    },
  };
};

const pathsOf = (all: readonly Operation[]): Document => {
  const paths: Record<string, Record<string, Document>> = {};
  for (const each of all) (paths[each.path] ??= {})[each.method.toLowerCase()] = described(each);
  return paths;
};

const described = (operation: Operation): Document => ({
  operationId: operation.id,
  tags: [operation.tag],
  summary: operation.summary,
  security: [operation.key === 'admin' ? { adminKey: [] } : { apiKey: [] }],
  parameters: parametersOf(operation),
  ...(hasBody(operation) && {
    requestBody: { required: true, content: json(referenceTo(requestName(operation))) },
  }),
  responses: {
    [operation.status]: {
      description: 'Done.',
      content: {
        ...json(referenceTo(replyName(operation))),
        ...(operation.asTable && { 'text/csv': { schema: { type: 'string' } } }),
      },
    },
    ...problemsOf(operation),
  },
});

const json = (schema: JsonSchema): Document => ({ 'application/json': { schema } });

const parametersOf = (operation: Operation): readonly Document[] => [
  ...parametersIn('path', operation.params),
  ...(hasBody(operation) ? [] : parametersIn('query', operation.fields)),
  ...(operation.refusals.includes('replay-mismatch') ? [idempotencyKey] : []),
];

const parametersIn = (where: 'path' | 'query', schema: z.ZodType): readonly Document[] => {
  const { properties = {}, required = [] } = schemaOf(schema) as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: where,
    required: required.includes(name),
    schema: each,
  }));
};

const schemaOf = (schema: z.ZodType): JsonSchema =>
  jsonSchemas('input', { it: schema })['it'] ?? {};

const idempotencyKey: Document = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'An id of the caller’s own for the change; another body under it is refused.',
  schema: schemaOf(id),
};

/** By status, since several refusals may share one. */
const problemsOf = (operation: Operation): Document => {
  const byStatus = new Map<number, string[]>();
  for (const reason of operation.refusals) {
    const status = statusOf({ reason, retryable: false });
    byStatus.set(status, [...(byStatus.get(status) ?? []), reason]);
  }
  const problems = [...byStatus].map(([status, reasons]) => [
    status,
    {
      description: reasons.map((reason) => `\`${reason}\``).join(', '),
      ...(status === 503 && {
        headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
      }),
      content: { 'application/problem+json': { schema: referenceTo('Problem') } },
    },
  ]);
  return Object.fromEntries(problems) as Document;
};
