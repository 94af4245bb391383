import { randomBytes } from 'node:crypto';

/** 32 random bytes in base64url. The prefix tells it from an API key, for people and for secret scanners. */
const bearer = /^bearer +(tka_[A-Za-z0-9_-]{43}) *$/i;

export const newAdminKey = (): string => `tka_${randomBytes(32).toString('base64url')}`;

/** The admin key in an `Authorization` header; undefined where it cannot be one of ours. */
export const adminKeyOf = (authorization: string | undefined): string | undefined => {
  if (authorization === undefined || authorization.length > 128) return undefined;
  const key = bearer.exec(authorization)?.[1];
  return key?.startsWith('tka_') === true ? key : undefined;
};
