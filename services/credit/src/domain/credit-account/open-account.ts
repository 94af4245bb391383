import {
  defaultGrantPriority,
  isPersonalAccountId,
  personalAccountId,
  type CreditAccountEvent,
} from '@tollkeeper/events';
import { floorTo, formatMoney, localDate } from '@tollkeeper/kernel';
import type { CreditCommand, OpenAccount } from './commands.js';
import type { DecisionContext } from './context.js';
import { evolve } from './evolve.js';
import { initialGrantUsd } from './set-rules.js';
import { newAccount, type CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

type Opened = Extract<CreditAccountEvent, { type: 'AccountOpened' }>['data'];

/**
 * Opens an account. A user's personal one, which can be only at the id that follows from the user's, opens with the
 * initial grant: so each user gets it once.
 */
export const openAccount = (
  command: OpenAccount,
  account: CreditAccount,
  context: DecisionContext,
): Verdict => {
  const { accountId } = account;
  if (account.openedBy) {
    return account.openedBy.commandHash === command.commandHash
      ? nothing
      : refuse('account-exists', `account ${accountId} is open already`);
  }
  const isOwn = accountId === personalAccountId(command.ownerUserId);
  const kind = command.kind ?? (isOwn ? 'personal' : 'organization');
  if (isPersonalAccountId(accountId) && !(isOwn && kind === 'personal')) {
    return refuse('invalid-request', `${accountId} is kept for its user's personal account`);
  }
  const { ownerUserId, tier, timeZone } = command;
  return openWith({ accountId, kind, ownerUserId, tier, timeZone }, context);
};

/**
 * Where the operator's rules let a reserve open its user's personal account: the events that do; undefined where
 * the command must not.
 */
export const openingBySpending = (
  command: CreditCommand,
  { accountId }: CreditAccount,
  context: DecisionContext,
): Verdict | undefined => {
  if (!context.rules.openOnReserve || !isSpending(command)) return undefined;
  const ownerUserId = command.purpose.userId;
  if (ownerUserId === undefined || personalAccountId(ownerUserId) !== accountId) return undefined;
  const kind = 'personal';
  return openWith({ accountId, kind, ownerUserId, tier: 'free', timeZone: 'UTC' }, context);
};

/** The account as it will be once these events are stored: to decide on before they are. */
export const accountAfter = (
  events: readonly CreditAccountEvent[],
  accountId: string,
  { commandId, commandHash }: CreditCommand,
  { at }: DecisionContext,
): CreditAccount => {
  const account = newAccount(accountId);
  const meta = { commandId, commandHash, occurredAt: at.toISOString() };
  for (const event of events) evolve(account, event, meta);
  return account;
};

/** The account that a spending would open and be decided on; undefined where it opens none. */
export const accountOpenedBy = (
  command: CreditCommand,
  account: CreditAccount,
  context: DecisionContext,
): CreditAccount | undefined => {
  const opening = account.opened ? undefined : openingBySpending(command, account, context);
  return opening?.type === 'accept'
    ? accountAfter(opening.events, account.accountId, command, context)
    : undefined;
};

type Spending = Extract<CreditCommand, { readonly purpose: unknown }>;

export const isSpending = (command: CreditCommand): command is Spending => 'purpose' in command;

const openWith = (data: Opened, context: DecisionContext): Verdict => {
  const opened: CreditAccountEvent = { type: 'AccountOpened', data };
  const worthUsd = initialGrantUsd(context);
  const isOwn = data.accountId === personalAccountId(data.ownerUserId);
  if (!isOwn || worthUsd.isZero()) return accept(opened);
  const policy = context.prices.policyAt(context.at);
  if (!policy) return refuse('unknown-price', 'no credit policy is in force');
  const amount = floorTo(worthUsd.div(policy.usdPerCredit), policy.decimals);
  if (amount.isZero()) return accept(opened);
  return accept(opened, {
    type: 'CreditsGranted',
    data: {
      grantId: 'initial',
      kind: 'initial',
      amountCredits: formatMoney(amount),
      priority: defaultGrantPriority,
      effectiveAt: context.at.toISOString(),
      costBasisUsd: '0',
      localDate: localDate(context.at, data.timeZone),
    },
  });
};
