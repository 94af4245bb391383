import type { CreditAccountEvent } from '@tollkeeper/events';
import type { DecisionContext } from './context.js';
import { limitWarnings } from './soft-limits.js';
import type { CreditAccount } from './state.js';

/**
 * What an account's new state brings about by itself, after a command has changed it: stored in the same append,
 * under the command's id. Asked again until it is silent, so that one consequence may have another.
 */
export const followUps = (
  account: CreditAccount,
  _context: DecisionContext,
): readonly CreditAccountEvent[] => limitWarnings(account);
