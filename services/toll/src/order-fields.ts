import type { Refused } from '@tollkeeper/contracts';

import type { Operator, Question } from './operator.js';

/** The answer without its status; a refusal is thrown. */
export const orderFields = async <T extends object>(
  operator: Operator,
  question: Question<T>,
): Promise<Omit<Exclude<T, Refused>, 'status'>> => {
  const answer = await operator.order(question);
  const fields: Partial<Exclude<T, Refused>> & { status?: unknown } = { ...answer };
  delete fields.status;
  return fields as Omit<Exclude<T, Refused>, 'status'>;
};
