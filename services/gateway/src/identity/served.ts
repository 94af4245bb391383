import type { Refused } from '@tollkeeper/contracts';
import { z } from 'zod';
import { refuse } from './membership.js';

/** The answer to a message whose body the schema takes; else the refusal that names what is wrong with it. */
export const served = <Order, Reply>(
  schema: z.ZodType<Order>,
  body: unknown,
  serve: (order: Order) => Promise<Reply>,
): Promise<Reply | Refused> => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return serve(parsed.data);
  return Promise.resolve(refuse('invalid-request', z.prettifyError(parsed.error)));
};
