import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import type { CreditCommand, RequestedPurpose } from './commands.js';
import { attempt, reserveCall, reservePlain } from './credit-account.fixture.js';
import type { RemoveLimit, SetLimit } from './set-limit.js';
import type { CreditAccount } from './state.js';

export const mine = { userId: 'usr_1', keyId: 'key_1', projectId: 'prj_1' };
export const others = { userId: 'usr_2', keyId: 'key_2', projectId: 'prj_2' };

/** 10 credits a day of key `key_1`, hard, unless told otherwise; its command's id is the limit's and its fields. */
export const setLimit = (
  more: Partial<Omit<SetLimit, 'amount'>> & { amount?: string } = {},
): SetLimit => {
  const fields = {
    limitId: 'lim_1',
    scope: { type: 'key' as const, id: 'key_1' },
    window: 'day' as const,
    unit: 'credits' as const,
    mode: 'hard' as const,
    ...more,
    amount: parseMoney(more.amount ?? '10'),
  };
  const { limitId, scope, window, unit, mode, amount } = fields;
  const told = [limitId, scope.type, scope.id, window, unit, mode, formatMoney(amount)];
  const id = `set-${told.join('-')}`;
  return { type: 'SetLimit', commandId: id, commandHash: id, ...fields };
};

export const removeLimit = (limitId = 'lim_1', commandId = `remove-${limitId}`): RemoveLimit => ({
  type: 'RemoveLimit',
  commandId,
  commandHash: `remove ${limitId}`,
  limitId,
});

/** 1,000 input and `outputTokens` output tokens of gpt-4o under tier pro, at 100: 0.525 credits, 0.0035 USD. */
export const call = (
  id: string,
  more: {
    purpose?: RequestedPurpose;
    outputTokens?: number;
    choices?: number;
    outputMayShrink?: boolean;
  } = {},
): CreditCommand => ({
  ...(reserveCall(id, more.outputTokens, {
    choices: more.choices ?? 1,
    outputMayShrink: more.outputMayShrink ?? false,
  }) as Extract<CreditCommand, { type: 'ReserveCompletion' }>),
  purpose: more.purpose ?? mine,
});

export const plain = (id: string, amount: string, purpose = mine): CreditCommand => ({
  ...(reservePlain(id, amount) as Extract<CreditCommand, { type: 'ReserveAmount' }>),
  purpose,
});

export const charge = (id: string, amount: string, purpose = mine): CreditCommand => ({
  type: 'Charge',
  commandId: id,
  commandHash: `charge ${id} ${amount}`,
  purpose,
  amountCredits: parseMoney(amount),
});

export const correct = (
  reservationId: string,
  usage: Record<string, number>,
  commandId = `correct ${reservationId}`,
): CreditCommand => ({
  type: 'CorrectUsage',
  commandId,
  commandHash: `${commandId} ${JSON.stringify(usage)}`,
  reservationId,
  attempts: [attempt(usage)],
});

/** What a limit has counted, by window. */
export const counts = (account: CreditAccount, limitId = 'lim_1'): Record<string, string> =>
  Object.fromEntries(
    [...(account.limits.byId.get(limitId)?.periods.values() ?? [])].map(({ name, used }) => [
      name,
      formatMoney(used),
    ]),
  );
