import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import type { Allocation, CreditAccountEventType } from '@tollkeeper/events';
import { grantKey, type LedgerEvent, type LedgerEventOf } from '../projector/ledger-event.js';

/** Where the credits of a grant are. Every credit granted is in exactly one of them. */
export const grantPots = ['available', 'reserved', 'drawn', 'lapsed', 'voided'] as const;
export type GrantPot = (typeof grantPots)[number];

/** Active until an event says otherwise. */
export type GrantEnd = 'expired' | 'voided';

/** A row of `grants` as its event made it, by the table's own names; the pots are the change's. */
export interface GrantTerms {
  readonly revision: number;
  readonly kind: string;
  readonly priority: number;
  readonly effective_at: string;
  readonly expires_at: string | null;
  readonly amount: string;
  readonly cost_basis_usd: string | null;
  readonly external_reference: string | null;
  readonly reason_code: string | null;
  readonly refund_id: string | null;
  readonly top_up_id: string | null;
  readonly recurring_id: string | null;
  readonly recurring_period: string | null;
  readonly granted_at: string;
}

/** What a batch does to one grant: amounts to add to each pot, and its terms where the batch granted it. */
export interface GrantChange {
  readonly account_id: string;
  readonly grant_id: string;
  readonly terms: GrantTerms | undefined;
  readonly pots: Record<GrantPot, Money>;
  ended: { readonly state: GrantEnd; readonly ended_at: string } | undefined;
}

export type GrantChanges = Map<string, GrantChange>;

const changeOf = (
  changes: GrantChanges,
  accountId: string,
  grantId: string,
  terms?: GrantTerms,
): GrantChange => {
  const key = grantKey(accountId, grantId);
  const known = changes.get(key);
  if (known) return known;
  const change: GrantChange = {
    account_id: accountId,
    grant_id: grantId,
    terms,
    pots: { available: zero, reserved: zero, drawn: zero, lapsed: zero, voided: zero },
    ended: undefined,
  };
  changes.set(key, change);
  return change;
};

const termsOf = ({ data, metadata, revision }: LedgerEventOf<'CreditsGranted'>): GrantTerms => ({
  revision,
  kind: data.kind,
  priority: data.priority,
  effective_at: data.effectiveAt,
  expires_at: data.expiresAt ?? null,
  amount: data.amountCredits,
  cost_basis_usd: data.costBasisUsd ?? null,
  external_reference: data.externalReference ?? null,
  reason_code: data.reasonCode ?? null,
  refund_id: data.refundId ?? null,
  top_up_id: data.topUpId ?? null,
  recurring_id: data.recurring?.recurringId ?? null,
  recurring_period: data.recurring?.period ?? null,
  granted_at: metadata.occurredAt,
});

type Parts = readonly Allocation[] | undefined;

/** What was available before the batch of those grants that it grants or ends, by `grantKey`. */
export type GrantsBefore = ReadonlyMap<string, Money>;

/** Adds an event to what the batch does to grants. Events that move no grant change nothing. */
export const changeGrants = (
  changes: GrantChanges,
  event: LedgerEvent,
  before: GrantsBefore,
): void => {
  const move = (parts: Parts, from: GrantPot, to: GrantPot): void => {
    for (const { grantId, amountCredits } of parts ?? []) {
      const { pots } = changeOf(changes, event.accountId, grantId);
      const credits = parseMoney(amountCredits);
      pots[from] = pots[from].minus(credits);
      pots[to] = pots[to].plus(credits);
    }
  };
  switch (event.type) {
    case 'CreditsGranted': {
      const { grantId, amountCredits } = event.data;
      const change = changeOf(changes, event.accountId, grantId, termsOf(event));
      change.pots.available = change.pots.available.plus(parseMoney(amountCredits));
      return;
    }
    case 'Reserved':
      move(event.data.allocations, 'available', 'reserved');
      return;
    case 'Settled':
      move(event.data.drawnBeyond, 'available', 'drawn');
      move(event.data.drawn, 'reserved', 'drawn');
      move(event.data.returned, 'reserved', 'available');
      move(event.data.lapsed, 'reserved', 'lapsed');
      return;
    case 'Released':
      move(event.data.returned, 'reserved', 'available');
      move(event.data.lapsed, 'reserved', 'lapsed');
      return;
    case 'SettledLate':
    case 'CreditsAdjusted':
      move(event.data.drawn, 'available', 'drawn');
      return;
    case 'UsageCorrected':
      move(event.data.drawn, 'available', 'drawn');
      move(event.data.returned, 'drawn', 'available');
      move(event.data.lapsed, 'drawn', 'lapsed');
      return;
    case 'Refunded':
      move(event.data.returned, 'drawn', 'available');
      move(event.data.lapsed, 'drawn', 'lapsed');
      return;
    case 'DebtRepaid':
      move([event.data], 'available', 'drawn');
      return;
    case 'GrantExpired':
      move([event.data], 'available', 'lapsed');
      end(changes, event, before);
      return;
    case 'GrantVoided':
      move([event.data], 'available', 'voided');
      end(changes, event, before);
      return;
    default:
      movesNoGrant(event.type);
  }
};

/** A grant that keeps some of its unreserved credits goes on. */
const end = (
  changes: GrantChanges,
  event: LedgerEventOf<'GrantExpired'> | LedgerEventOf<'GrantVoided'>,
  before: GrantsBefore,
): void => {
  const { accountId, data } = event;
  const change = changeOf(changes, accountId, data.grantId);
  const earlier = change.terms ? zero : (before.get(grantKey(accountId, data.grantId)) ?? zero);
  if (!earlier.plus(change.pots.available).isZero()) return;
  const state = event.type === 'GrantExpired' ? 'expired' : 'voided';
  change.ended = { state, ended_at: event.metadata.occurredAt };
};

type MovesNoGrant = Extract<
  CreditAccountEventType,
  | 'AccountOpened'
  | 'TierChanged'
  | `Account${string}`
  | `Limit${string}`
  | 'BalanceAlertsSet'
  | 'LowBalanceReached'
  | 'RecurringGrantSet'
  | `TopUp${string}`
>;
/** Fails to compile when an event is forgotten above. */
const movesNoGrant = (_type: MovesNoGrant): void => undefined;

const potsOf = (pots: GrantChange['pots']): Record<GrantPot, string> => ({
  available: formatMoney(pots.available),
  reserved: formatMoney(pots.reserved),
  drawn: formatMoney(pots.drawn),
  lapsed: formatMoney(pots.lapsed),
  voided: formatMoney(pots.voided),
});

/** Rows of grants that the batch granted. */
export const grantedRows = (changes: GrantChanges): object[] =>
  [...changes.values()].flatMap(({ account_id, grant_id, terms, pots, ended }) =>
    terms
      ? [
          {
            account_id,
            grant_id,
            ...terms,
            ...potsOf(pots),
            state: ended?.state ?? 'active',
            ended_at: ended?.ended_at ?? null,
          },
        ]
      : [],
  );

/** Differences to rows from before the batch; a `state` of null leaves the row's. */
export const movedGrantRows = (changes: GrantChanges): object[] =>
  [...changes.values()].flatMap(({ account_id, grant_id, terms, pots, ended }) =>
    terms || (!ended && grantPots.every((pot) => pots[pot].isZero()))
      ? []
      : [
          {
            account_id,
            grant_id,
            ...potsOf(pots),
            state: ended?.state ?? null,
            ended_at: ended?.ended_at ?? null,
          },
        ],
  );
