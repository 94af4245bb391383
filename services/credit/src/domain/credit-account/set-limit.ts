import type { LimitScope, LimitUnit, LimitWindow } from '@tollkeeper/events';
import { formatMoney, type Money } from '@tollkeeper/kernel';
import { isSameBudget, type LimitMode } from './limits.js';
import type { CreditAccount } from './state.js';
import { accept, nothing, refuse, type Verdict } from './verdict.js';

export interface SetLimit {
  readonly type: 'SetLimit';
  readonly commandId: string;
  readonly commandHash: string;
  readonly limitId: string;
  readonly scope: LimitScope;
  readonly window: LimitWindow;
  readonly unit: LimitUnit;
  /** In the limit's unit. */
  readonly amount: Money;
  readonly mode: LimitMode;
}

export interface RemoveLimit {
  readonly type: 'RemoveLimit';
  readonly commandId: string;
  readonly commandHash: string;
  readonly limitId: string;
}

/** So that an account stays small in memory, and all its limits fit one message. */
export const limitsMax = 2_000;

/** Sets a limit, which counts from now on, or changes the amount or mode of one and keeps its count. */
export const setLimit = (command: SetLimit, account: CreditAccount): Verdict => {
  const repeated = repeatedLimitCommand(command, account);
  if (repeated) return repeated;
  const { limitId, scope, window, unit, amount, mode } = command;
  const misfit = misfitOf(command, account);
  if (misfit !== undefined) return refuse('invalid-request', misfit);
  return accept({
    type: 'LimitSet',
    data: { limitId, scope, window, unit, amount: formatMoney(amount), mode },
  });
};

export const removeLimit = (command: RemoveLimit, account: CreditAccount): Verdict => {
  const repeated = repeatedLimitCommand(command, account);
  if (repeated) return repeated;
  const { limitId } = command;
  return account.limits.byId.has(limitId)
    ? accept({ type: 'LimitRemoved', data: { limitId } })
    : refuse('unknown-limit', `no limit ${limitId}`);
};

const repeatedLimitCommand = (
  { commandId }: SetLimit | RemoveLimit,
  account: CreditAccount,
): Verdict | undefined => (account.limits.commandHashes.has(commandId) ? nothing : undefined);

const misfitOf = (command: SetLimit, account: CreditAccount): string | undefined => {
  const { limitId, window, unit, amount, mode } = command;
  const countsWhole = unit === 'tokens' || unit === 'requests';
  if (mode === 'rate' && !(window === 'minute' && countsWhole)) {
    return 'a rate is of requests or tokens a minute';
  }
  if (amount.isNegative()) return 'amount: must not be negative';
  if (countsWhole && !amount.isInteger()) return `amount: ${unit} are whole`;
  const known = account.limits.byId.get(limitId);
  if (known && !isSameBudget(known, command)) {
    return `scope, window and unit of limit ${limitId} stay as they are; set another limit`;
  }
  if (!known && account.limits.byId.size >= limitsMax) {
    return `an account has at most ${String(limitsMax)} limits`;
  }
  return undefined;
};
