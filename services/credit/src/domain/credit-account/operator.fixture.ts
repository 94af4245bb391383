import type { Tier } from '@tollkeeper/events';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import type { CreditCommand } from './commands.js';
import { attempt, startedAt } from './credit-account.fixture.js';
import { availableCredits, balanceCredits, type CreditAccount } from './state.js';

/** Operators' commands for specs; the hash says what was asked for, as the border's does. */

export const at = (iso: string): Date => new Date(iso);

export const figuresOf = (account: CreditAccount, when = startedAt) => ({
  available: formatMoney(availableCredits(account, when.getTime())),
  balance: formatMoney(balanceCredits(account, when.getTime())),
  reserved: formatMoney(account.reservedCredits),
  debt: formatMoney(account.debtCredits),
});

export const grant = (
  amount: string,
  id = 'g9',
  more: Partial<Extract<CreditCommand, { type: 'GrantCredits' }>> = {},
): CreditCommand => ({
  type: 'GrantCredits',
  commandId: id,
  commandHash: `grant ${id} ${amount}`,
  kind: 'purchase',
  amountCredits: parseMoney(amount),
  priority: 100,
  effectiveAt: undefined,
  expiresAt: undefined,
  costBasisUsd: undefined,
  externalReference: undefined,
  ...more,
});

export const voidGrant = (grantId: string, id = `void ${grantId}`): CreditCommand => ({
  type: 'VoidGrant',
  commandId: id,
  commandHash: `void ${grantId}`,
  grantId,
  reasonCode: 'chargeback',
  reference: undefined,
});

export const expireGrant = (grantId: string): CreditCommand => ({
  type: 'ExpireGrant',
  commandId: `expire ${grantId}`,
  commandHash: `expire ${grantId}`,
  grantId,
});

export const recur = (
  amount: string,
  more: Partial<Extract<CreditCommand, { type: 'SetRecurringGrant' }>> = {},
): CreditCommand => ({
  type: 'SetRecurringGrant',
  commandId: `recur ${amount} ${String(more.dayOfMonth)}`,
  commandHash: `recur ${amount} ${String(more.dayOfMonth)}`,
  recurringId: 'monthly',
  kind: 'promotion',
  amountCredits: parseMoney(amount),
  priority: 50,
  dayOfMonth: 1,
  rolloverCapCredits: undefined,
  ...more,
});

export const post = (id = 'post', recurringId = 'monthly'): CreditCommand => ({
  type: 'PostRecurringGrant',
  commandId: id,
  commandHash: `post ${recurringId}`,
  recurringId,
});

export const refund = (amount?: string, id = 'f1', reservationId = 'r1'): CreditCommand => ({
  type: 'Refund',
  commandId: id,
  commandHash: `refund ${reservationId} ${String(amount)}`,
  reservationId,
  amountCredits: amount === undefined ? undefined : parseMoney(amount),
  reasonCode: 'goodwill',
  reference: undefined,
});

export const correct = (
  usage: Record<string, number>,
  id = 'c1',
  reservationId = 'r1',
): CreditCommand => ({
  type: 'CorrectUsage',
  commandId: id,
  commandHash: `correct ${reservationId} ${Object.entries(usage).join()}`,
  reservationId,
  attempts: [attempt(usage)],
});

export const rerate = (
  priceVersion: string,
  usage: Record<string, number>,
  id = 'rr1',
  reservationId = 'r1',
): CreditCommand => ({
  type: 'CorrectUsage',
  commandId: id,
  commandHash: `rerate ${reservationId} ${priceVersion}`,
  reservationId,
  attempts: [attempt(usage)],
  rerating: { priceVersion, reason: 'the vendor billed more' },
});

export const adjust = (
  amount: string,
  more: { readonly id?: string; readonly bookDebt?: boolean } = {},
): CreditCommand => ({
  type: 'Adjust',
  commandId: more.id ?? 'a1',
  commandHash: `adjust ${amount} ${String(more.bookDebt)}`,
  amountCredits: parseMoney(amount),
  reasonCode: 'billing-error',
  reference: 'T-1',
  bookDebt: more.bookDebt ?? false,
});

export const freeze = (type: 'Freeze' | 'Unfreeze', id: string): CreditCommand => ({
  type,
  commandId: id,
  commandHash: `${type} fraud`,
  reason: 'fraud',
});

export const changeTier = (tier: Tier, id = `tier ${tier}`): CreditCommand => ({
  type: 'ChangeTier',
  commandId: id,
  commandHash: `tier ${tier}`,
  tier,
  reason: 'downgrade',
});

export const charge = (amount: string, id = 'x1', userId?: string): CreditCommand => ({
  type: 'Charge',
  commandId: id,
  commandHash: `charge ${id} ${amount}`,
  purpose: userId === undefined ? {} : { userId },
  amountCredits: parseMoney(amount),
});

export const setAlerts = (thresholds: readonly string[], id = 'al1'): CreditCommand => ({
  type: 'SetAlerts',
  commandId: id,
  commandHash: `alerts ${thresholds.join()}`,
  thresholdsCredits: thresholds.map(parseMoney),
});

export const setTopUpRule = (
  more: {
    readonly id?: string;
    readonly threshold?: string;
    readonly coolDownSeconds?: number;
    readonly cap?: string;
    readonly enabled?: boolean;
  } = {},
): CreditCommand => ({
  type: 'SetTopUpRule',
  commandId: more.id ?? 'tu1',
  commandHash: `top-up ${Object.entries(more).join()}`,
  thresholdCredits: parseMoney(more.threshold ?? '10'),
  amountCredits: parseMoney('50'),
  coolDownSeconds: more.coolDownSeconds ?? 3600,
  monthlyCapCredits: parseMoney(more.cap ?? '100'),
  enabled: more.enabled ?? true,
});
