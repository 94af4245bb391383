import { HttpRefusal, type RefusalFields } from './http-refusal.js';

/** How something was refused; throws where it was not. */
export const refusalOf = (attempt: () => unknown): RefusalFields => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof HttpRefusal) return error.fields;
    throw error;
  }
  throw new Error('was not refused');
};
