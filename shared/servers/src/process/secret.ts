import { randomBytes } from 'node:crypto';

/** 192 random bits. It starts with a letter because NATS would read a digit as the start of a number. */
export const newSecret = (): string => `s${randomBytes(24).toString('hex')}`;
