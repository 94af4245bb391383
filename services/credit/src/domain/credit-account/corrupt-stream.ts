import type { CreditAccount } from './state.js';

/** The stream contradicts itself: a fact that no decision of ours can have produced. */
export class CorruptStreamError extends Error {
  override readonly name = 'CorruptStreamError';
}

export const corrupt = (account: CreditAccount, what: string, why: string): CorruptStreamError =>
  new CorruptStreamError(`credit-${account.accountId}: ${what}: ${why}`);
