/** Injection tokens of what is not a class. */
export const loggerToken = Symbol('Logger');
export const askToken = Symbol('Ask');
export const healthToken = Symbol('Health');

/** One NATS request with an empty body. */
export type Ask = (subject: string) => Promise<unknown>;
