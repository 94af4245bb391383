import type { CreditAccountEvent } from '@tollkeeper/events';
import { describe, expect, it } from 'vitest';
import type { LedgerEvent } from '../projector/ledger-event.js';
import { dueWorkOf } from './due-work.projection.js';

const at = (event: CreditAccountEvent): LedgerEvent =>
  ({ ...event, accountId: 'a', revision: 1, id: 'e' }) as unknown as LedgerEvent;

const granted = {
  grantId: 'g',
  kind: 'subscription',
  amountCredits: '10',
  priority: 100,
  effectiveAt: '2026-01-01T00:00:00.000Z',
  localDate: '2026-01-01',
} as const;
const expiresAt = '2026-02-01T00:00:00.000Z';
const rule = {
  recurringId: 'm',
  kind: 'subscription',
  amountCredits: '10',
  priority: 100,
  dayOfMonth: 1,
} as const;
const monthly = (due_at: string | null) => ({
  account_id: 'a',
  kind: 'recurring',
  id: 'm',
  due_at,
});

describe('due work', () => {
  it.each<[string, CreditAccountEvent, object[]]>([
    ['a grant of its own', { type: 'CreditsGranted', data: granted }, []],
    [
      'a month of a rule, and its next one',
      {
        type: 'CreditsGranted',
        data: {
          ...granted,
          recurring: { recurringId: 'm', period: '2026-01', nextAt: expiresAt },
        },
      },
      [monthly(expiresAt)],
    ],
    [
      'a rule’s last month',
      {
        type: 'CreditsGranted',
        data: { ...granted, recurring: { recurringId: 'm', period: '2026-01' } },
      },
      [monthly(null)],
    ],
    [
      'a rule',
      { type: 'RecurringGrantSet', data: { ...rule, nextAt: expiresAt } },
      [monthly(expiresAt)],
    ],
    ['the end of a rule', { type: 'RecurringGrantSet', data: rule }, [monthly(null)]],
    ['anything else', { type: 'AccountFrozen', data: { reason: 'r' } }, []],
  ])('of %s', (_, event, rows) => {
    expect(dueWorkOf(at(event))).toEqual(rows);
  });
});
