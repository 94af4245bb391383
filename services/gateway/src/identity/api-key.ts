import { hash, randomBytes } from 'node:crypto';

const prefix = 'tk_';
/** 32 random bytes in base64url. */
const keyPattern = /^tk_[A-Za-z0-9_-]{43}$/;

export const newApiKey = (): string => `${prefix}${randomBytes(32).toString('base64url')}`;

/** Lower-case hex of the SHA-256 of the whole key: what is stored, and what the cache is keyed by. */
export const hashOf = (apiKey: string): string => hash('sha256', apiKey, 'hex');

/** The key in an `Authorization` header; undefined where it cannot be one of ours. */
export const bearerKeyOf = (authorization: string | undefined): string | undefined => {
  if (authorization === undefined || authorization.length > 128) return undefined;
  const scheme = authorization.slice(0, 7).toLowerCase();
  const key = authorization.slice(7).trim();
  return scheme === 'bearer ' && keyPattern.test(key) ? key : undefined;
};
