import type { CreditAccountEventOf, EventMetadata } from '@tollkeeper/events';
import type { DoneCommand, CreditAccount } from './state.js';

type Meta = Pick<EventMetadata, 'commandId' | 'commandHash'>;

export const openAccount = (
  account: CreditAccount,
  data: CreditAccountEventOf<'AccountOpened'>['data'],
  meta: Meta,
): void => {
  account.opened = true;
  account.openedBy = { commandHash: meta.commandHash };
  account.ownerUserId = data.ownerUserId;
  account.tier = data.tier;
  account.timeZone = data.timeZone;
};

/** Reservations keep the tier that they were priced at. */
export const changeTier = (
  account: CreditAccount,
  data: CreditAccountEventOf<'TierChanged'>['data'],
  meta: Meta,
): void => {
  account.tier = data.to;
  remember(account, meta);
};

export const freeze = (account: CreditAccount, frozen: boolean, meta: Meta): void => {
  account.frozen = frozen;
  remember(account, meta);
};

/** So that the command, sent again, is known. */
export const remember = (
  account: CreditAccount,
  { commandId, commandHash }: Meta,
  refundedCredits?: DoneCommand['refundedCredits'],
): void => {
  account.adminCommands.set(commandId, { commandHash, refundedCredits });
};
