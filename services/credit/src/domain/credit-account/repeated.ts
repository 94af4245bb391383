import type { CreditAccount } from './state.js';
import { nothing, refuse, type Verdict } from './verdict.js';

interface Identified {
  readonly commandId: string;
  readonly commandHash: string;
}

/** The verdict on an operator's command that was carried out before; undefined when it is new. */
export const repeatedCommand = (
  { commandId, commandHash }: Identified,
  account: CreditAccount,
): Verdict | undefined => {
  const known =
    account.adminCommands.get(commandId)?.commandHash ?? account.grantHashes.get(commandId);
  if (known === undefined) return undefined;
  return known === commandHash
    ? nothing
    : refuse('replay-mismatch', `${commandId} was sent with other fields`);
};
