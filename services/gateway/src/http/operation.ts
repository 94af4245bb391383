import type { z } from 'zod';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** A route of the HTTP API as data: what it reads, what it answers, and what it is refused as. */
export interface Operation<Fields = unknown, Params = unknown> {
  /** Its name in the OpenAPI document. */
  readonly id: string;
  readonly method: Method;
  /** With `{name}` for each of `params`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly key: 'admin' | 'account';
  /** Of a GET: the query. Of a POST or PATCH: the body. Of a DELETE: both, since not every client sends a body with it. */
  readonly fields: z.ZodType<Fields>;
  readonly params: z.ZodType<Params>;
  readonly status: 200 | 201 | 202;
  readonly reply: z.ZodType;
  /** Where `Accept: text/csv` gets a table instead. */
  readonly asTable?: true;
  readonly refusals: readonly string[];
}

/** Keeps the types of what it reads. */
export const operation = <Fields, Params>(
  described: Operation<Fields, Params>,
): Operation<Fields, Params> => described;
