import { NATS_USERS, newNatsPasswords, type NatsUser } from '@tollkeeper/servers';

import { readJson, writeJson } from './json-file.js';

/** One password per NATS user, made at the first start and kept: others may know them. */
export type NatsPasswords = Readonly<Record<NatsUser, string>>;

export const loadNatsPasswords = (file: string): NatsPasswords => {
  const known = readNatsPasswords(file);
  if (NATS_USERS.every((user) => known[user] !== undefined)) return known as NatsPasswords;
  // A user that was added since gets one; the others keep theirs.
  const completed: NatsPasswords = { ...newNatsPasswords(), ...known };
  writeJson(file, completed);
  return completed;
};

/** What is known, which is nothing before the first start. */
export const readNatsPasswords = (file: string): Partial<NatsPasswords> => {
  const known = readJson(file);
  if (typeof known !== 'object' || known === null) return {};
  const passwords = Object.entries(known).filter(
    ([user, password]) => NATS_USERS.some((each) => each === user) && typeof password === 'string',
  );
  return Object.fromEntries(passwords);
};
