import type { LedgerEvent } from '../projector/ledger-event.js';

/** A row of `due_work`; without a time, the work is done or called off. */
export interface DueWorkRow {
  readonly account_id: string;
  readonly kind: 'recurring';
  readonly id: string;
  readonly due_at: string | null;
}

/** What an event says of work whose time will come. */
export const dueWorkOf = (event: LedgerEvent): readonly DueWorkRow[] => {
  const { accountId } = event;
  switch (event.type) {
    case 'CreditsGranted': {
      const { recurring } = event.data;
      return recurring
        ? [row(accountId, 'recurring', recurring.recurringId, recurring.nextAt)]
        : none;
    }
    case 'RecurringGrantSet':
      return [row(accountId, 'recurring', event.data.recurringId, event.data.nextAt)];
    default:
      return none;
  }
};

const none: readonly DueWorkRow[] = [];

const row = (
  account_id: string,
  kind: DueWorkRow['kind'],
  id: string,
  dueAt: string | undefined,
): DueWorkRow => ({ account_id, kind, id, due_at: dueAt ?? null });

/** Work by account, kind and id: the last word of a batch holds. */
export const dueWorkKey = ({ account_id, kind, id }: DueWorkRow): string =>
  `${account_id}/${kind}/${id}`;
