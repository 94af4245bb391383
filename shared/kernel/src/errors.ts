/** Thrown where a value proves a bug: the type system says that it cannot exist. */
export const unreachable = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
};

/** What is worth logging of an unknown thrown value. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
