import type { CreditAccountEventOf, EventMetadata } from '@tollkeeper/events';
import { parseMoney, zero } from '@tollkeeper/kernel';
import { corrupt } from './corrupt-stream.js';
import { drawOrder } from './draw.js';
import { remember } from './evolve-account.js';
import type { CreditAccount, Grant } from './state.js';

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash'>;

export const addGrant = (
  account: CreditAccount,
  data: CreditAccountEventOf<'CreditsGranted'>['data'],
  meta: Meta,
): void => {
  if (account.grantsById.has(data.grantId)) throw corrupt(account, data.grantId, 'granted twice');
  const amountCredits = parseMoney(data.amountCredits);
  const grant: Grant = {
    grantId: data.grantId,
    priority: data.priority,
    effectiveAtMs: Date.parse(data.effectiveAt),
    expiresAtMs: data.expiresAt === undefined ? Infinity : Date.parse(data.expiresAt),
    order: account.grantsById.size,
    amountCredits,
    costBasisUsd: data.costBasisUsd === undefined ? undefined : parseMoney(data.costBasisUsd),
    recurringId: data.recurring?.recurringId,
    available: amountCredits,
    ended: false,
  };
  account.grants.push(grant);
  account.grants.sort(drawOrder);
  account.grantsById.set(grant.grantId, grant);
  account.grantHashes.set(grant.grantId, meta.commandHash);
  if (data.recurring) {
    const rule = account.recurringGrants.get(data.recurring.recurringId);
    if (!rule) throw corrupt(account, data.recurring.recurringId, 'posted, but never set');
    rule.nextAtMs =
      data.recurring.nextAt === undefined ? undefined : Date.parse(data.recurring.nextAt);
    remember(account, meta);
  }
  if (data.topUpId !== undefined) account.watch?.topUps.unfulfilled.delete(data.topUpId);
};

export const expireGrant = (
  account: CreditAccount,
  data: CreditAccountEventOf<'GrantExpired'>['data'],
): void => {
  const grant = liveGrant(account, data.grantId);
  if (!grant.available.eq(parseMoney(data.amountCredits))) {
    throw corrupt(account, data.grantId, 'expired with another amount than was left');
  }
  grant.available = zero;
  end(account, grant);
};

/** Of a grant that keeps some of its unreserved credits only those are taken; otherwise it is over. */
export const voidGrant = (
  account: CreditAccount,
  data: CreditAccountEventOf<'GrantVoided'>['data'],
  meta: Meta,
): void => {
  const grant = liveGrant(account, data.grantId);
  grant.available = grant.available.minus(parseMoney(data.amountCredits));
  if (grant.available.isNegative()) throw corrupt(account, data.grantId, 'overdrawn');
  if (grant.available.isZero()) end(account, grant);
  remember(account, meta);
};

export const setRecurringGrant = (
  account: CreditAccount,
  data: CreditAccountEventOf<'RecurringGrantSet'>['data'],
  meta: Meta,
): void => {
  account.recurringGrants.set(data.recurringId, {
    recurringId: data.recurringId,
    kind: data.kind,
    amountCredits: parseMoney(data.amountCredits),
    priority: data.priority,
    dayOfMonth: data.dayOfMonth,
    rolloverCapCredits:
      data.rolloverCapCredits === undefined ? undefined : parseMoney(data.rolloverCapCredits),
    nextAtMs: data.nextAt === undefined ? undefined : Date.parse(data.nextAt),
  });
  remember(account, meta);
};

const liveGrant = (account: CreditAccount, grantId: string): Grant => {
  const grant = account.grantsById.get(grantId);
  if (!grant) throw corrupt(account, grantId, 'ended, but never granted');
  if (grant.ended) throw corrupt(account, grantId, 'ended twice');
  return grant;
};

/** Nothing comes back to it any more, so that no draw need look at it. */
const end = (account: CreditAccount, grant: Grant): void => {
  grant.ended = true;
  account.grants.splice(account.grants.indexOf(grant), 1);
};
