import type { CreditAccount } from './state.js';
import { nothing, type Verdict } from './verdict.js';

/** The verdict on an operator's command that was carried out before; undefined when it is new. Its fields were compared already. */
export const repeatedCommand = (
  { commandId }: { readonly commandId: string },
  account: CreditAccount,
): Verdict | undefined =>
  account.adminCommands.has(commandId) || account.grantHashes.has(commandId) ? nothing : undefined;
