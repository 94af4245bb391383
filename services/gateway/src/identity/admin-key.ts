import { randomBytes } from 'node:crypto';

/** 32 random bytes in base64url. The prefix tells it from an API key, for people and for secret scanners. */
const keyPattern = /^tka_[A-Za-z0-9_-]{43}$/;

export const newAdminKey = (): string => `tka_${randomBytes(32).toString('base64url')}`;

export const isAdminKey = (text: string): boolean => keyPattern.test(text);
