import { NATS_USERS, newNatsPasswords, type NatsUser } from '@tollkeeper/servers';

import { readJson, writeJson } from './json-file.js';

/** One password per NATS user, made at the first start and kept: services may outlive a supervisor. */
export type NatsPasswords = Readonly<Record<NatsUser, string>>;

export const loadNatsPasswords = (file: string): NatsPasswords => {
  const known = readJson(file);
  if (isPasswords(known)) return known;
  const made = newNatsPasswords();
  writeJson(file, made);
  return made;
};

/** One that lacks a user that was added since is made anew. */
const isPasswords = (value: unknown): value is NatsPasswords =>
  typeof value === 'object' &&
  value !== null &&
  NATS_USERS.every((user) => typeof (value as Record<string, unknown>)[user] === 'string');
