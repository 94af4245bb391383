/**
 * Where the replies to a user's requests arrive: nats-server lets nobody else read them. The
 * operator, and whoever has no name, use the default prefix, so that the plain `nats` command works.
 */
export const inboxPrefixOfUser = (user: string | undefined): string =>
  user === undefined || user === '' || user === 'operator' ? '_INBOX' : `_INBOX_${user}`;
