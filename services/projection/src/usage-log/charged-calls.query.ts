import type { ChargedAttempt, ChargedCall, chargedCallsQuery } from '@tollkeeper/contracts';
import type { PricedAttempt } from '@tollkeeper/events';
import type { Pool } from '@tollkeeper/postgres';
import type { z } from 'zod';
import { answer, pageBytesMax, type AsOf } from '../projector/as-of.js';

interface Row extends Omit<ChargedCall, 'attempts' | 'requestedAt'> {
  readonly requestedAt: Date;
  readonly attempts: readonly PricedAttempt[];
}

type Place = Pick<ChargedCall, 'requestedAt' | 'accountId' | 'reservationId'>;

/** Of a line only what was used: the rates follow from the version. */
const toChargedAttempt = ({ lines, ...attempt }: PricedAttempt): ChargedAttempt => ({
  ...attempt,
  lines: lines.map(({ meter, quantity }) => [meter, quantity]),
});

const toChargedCall = ({ requestedAt, attempts, ...row }: Row): ChargedCall => ({
  ...row,
  requestedAt: requestedAt.toISOString(),
  attempts: attempts.map(toChargedAttempt),
});

const select = `SELECT account_id AS "accountId", reservation_id AS "reservationId", user_id AS "userId", tier,
    requested_at AS "requestedAt", usd_per_credit AS "usdPerCredit", vendor_cost_usd AS "vendorCostUsd",
    charge_credits AS "chargeCredits", refunded_credits AS "refundedCredits", attempts
  FROM usage_log
  WHERE requested_at < $2 AND ($3::text IS NULL OR account_id = $3)
    AND ($4::text IS NULL OR EXISTS (
      SELECT FROM json_array_elements(attempts) a WHERE a->>'provider' = $4 AND a->>'model' = $5))
    AND (requested_at, account_id, reservation_id) >= ($1, '', '')
    AND (requested_at, account_id, reservation_id) > ($6, $7, $8)
  ORDER BY requested_at, account_id, reservation_id LIMIT $9`;

type Query = z.output<typeof chargedCallsQuery>;

const beginning: Place = { requestedAt: '-infinity', accountId: '', reservationId: '' };

const valuesOf = ({ from, to, accountId, of, after = beginning, limit }: Query) => [
  from,
  to,
  accountId ?? null,
  of?.provider ?? null,
  of?.model ?? null,
  after.requestedAt,
  after.accountId,
  after.reservationId,
  limit,
];

/** As many as a message of the bus holds; always one. */
const fitting = (calls: readonly ChargedCall[]): readonly ChargedCall[] => {
  let bytes = 0;
  for (const [place, call] of calls.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(call)) + 1;
    if (bytes > pageBytesMax && place > 0) return calls.slice(0, place);
  }
  return calls;
};

export const pageChargedCalls = async (
  pool: Pool,
  query: Query,
): Promise<{ readonly calls: readonly ChargedCall[]; readonly next: Place | null } & AsOf> => {
  const { rows, ...asOf } = await answer<Row>(pool, {
    select,
    orderBy: 'r."requestedAt", r."accountId" COLLATE "C", r."reservationId" COLLATE "C"',
    about: 'sound-accounts',
    values: valuesOf(query),
  });
  const calls = fitting(rows.map(toChargedCall));
  const last = calls.at(-1);
  const isLastPage = calls.length === rows.length && rows.length < query.limit;
  return { calls, next: last === undefined || isLastPage ? null : placeOf(last), ...asOf };
};

const placeOf = ({ requestedAt, accountId, reservationId }: ChargedCall): Place => ({
  requestedAt,
  accountId,
  reservationId,
});
