import type { Pool } from '@tollkeeper/postgres';
import { parseMoney } from '@tollkeeper/kernel';
import type { AccountProof } from './account-proof.js';
import { DifferenceError } from './difference.js';

type Proofs = ReadonlyMap<string, AccountProof>;

const pageMax = 5_000;

interface GrantFigures {
  readonly account_id: string;
  readonly grant_id: string;
  readonly amount: string;
  readonly available: string;
  readonly reserved: string;
  readonly drawn: string;
}

/** Each grant of the live tables against the proofs' own. @throws DifferenceError */
export const compareGrants = async (pool: Pool, proofs: Proofs): Promise<void> => {
  let place: readonly [accountId: string, grantId: string] = ['', ''];
  let accountId = '';
  let expected = new Map<string, Readonly<Record<string, string>>>();
  const finish = (): void => {
    const [missing] = expected.keys();
    if (missing !== undefined) throw grantDifference(accountId, missing, null, null);
  };
  const left = new Set([...proofs].filter(([, proof]) => proof.hasGrants).map(([id]) => id));
  for (;;) {
    const { rows } = await pool.query<GrantFigures>(
      `SELECT account_id, grant_id, amount, available, reserved, drawn FROM live_grants
       WHERE (account_id, grant_id) > ($1, $2) ORDER BY 1, 2 LIMIT ${String(pageMax)}`,
      [...place],
    );
    for (const { account_id, grant_id, ...figures } of rows) {
      if (account_id !== accountId) {
        finish();
        accountId = account_id;
        expected = new Map(proofs.get(accountId)?.grantFigures());
        left.delete(accountId);
      }
      const proven = expected.get(grant_id);
      expected.delete(grant_id);
      if (proven && sameFigures(figures, proven)) continue;
      throw grantDifference(accountId, grant_id, figures, proven ?? null);
    }
    const last = rows.at(-1);
    if (!last || rows.length < pageMax) break;
    place = [last.account_id, last.grant_id];
  }
  finish();
  for (const account of left) throw grantDifference(account, '', null, null);
};

const sameFigures = (
  figures: Omit<GrantFigures, 'account_id' | 'grant_id'>,
  proven: Readonly<Record<string, string>>,
): boolean => Object.entries(figures).every(([name, figure]) => proven[name] === figure);

const grantDifference = (
  accountId: string,
  grantId: string,
  live: object | null,
  proven: object | null,
): DifferenceError =>
  new DifferenceError({
    check: 'grants',
    message: `grant ${grantId} of ${accountId} has other figures than by its events`,
    accountId,
    table: 'grants',
    key: `${accountId} ${grantId}`,
    live: live && JSON.stringify(live),
    recomputed: proven && JSON.stringify(proven),
  });

interface RefundedCall {
  readonly account_id: string;
  readonly reservation_id: string;
  readonly refunded_credits: string;
  readonly charge_credits: string;
  readonly corrected: boolean;
}

/**
 * Each refunded call against the proofs' sums, and none above what it was charged, unless a correction has undercut its
 * refund later. @throws DifferenceError
 */
export const compareRefunds = async (pool: Pool, proofs: Proofs): Promise<void> => {
  const { rows } = await pool.query<RefundedCall>(
    `SELECT account_id, reservation_id, refunded_credits, charge_credits, corrected
     FROM live_usage_log WHERE refunded_credits <> 0`,
  );
  let proven = 0;
  for (const proof of proofs.values()) proven += proof.refunds().size;
  for (const row of rows) {
    const refunded = parseMoney(row.refunded_credits);
    const expected = proofs.get(row.account_id)?.refunds().get(row.reservation_id);
    const isAbove = refunded.gt(parseMoney(row.charge_credits)) && !row.corrected;
    if (expected?.eq(refunded) === true && !isAbove) continue;
    throw new DifferenceError({
      check: 'refund',
      message:
        `reservation ${row.reservation_id} of ${row.account_id} was refunded ` +
        `${row.refunded_credits} of ${row.charge_credits}, by its events ${expected?.toString() ?? 'nothing'}`,
      accountId: row.account_id,
      table: 'usage_log',
      key: `${row.account_id} ${row.reservation_id}`,
    });
  }
  if (rows.length === proven) return;
  throw new DifferenceError({
    check: 'refund',
    message: `${String(proven)} calls are refunded by the events, ${String(rows.length)} in the usage log`,
    table: 'usage_log',
  });
};

/** The live journal: its sum is zero, and its liabilities are the live balances. @throws DifferenceError */
export const compareJournal = async (pool: Pool): Promise<void> => {
  const { rows } = await pool.query<Record<'what' | 'journal' | 'books', string>>(
    `WITH j AS (
       SELECT account, sum(debits) - sum(credits) AS balance FROM live_journal_days GROUP BY account
     ), b AS (
       SELECT sum(available) AS available, sum(reserved) AS reserved, sum(debt) AS debt,
              sum(voided) AS voided FROM live_balances
     )
     SELECT what, journal::text, books::text FROM (
       SELECT 'the trial balance' AS what, coalesce(sum(balance), 0) AS journal, 0 AS books FROM j
       UNION ALL
       SELECT account, sign * coalesce(balance, 0), coalesce(books, 0)
       FROM b CROSS JOIN LATERAL (VALUES
         ('liability:credits:available', -1, available), ('liability:credits:reserved', -1, reserved),
         ('asset:receivable:debt', 1, debt), ('revenue:breakage:voided', -1, voided)
       ) AS expected (account, sign, books) LEFT JOIN j USING (account)
     ) AS compared WHERE journal <> books LIMIT 1`,
  );
  const first = rows[0];
  if (!first) return;
  throw new DifferenceError({
    check: 'journal',
    message: `${first.what} is ${first.journal} by the journal, ${first.books} by the balances`,
    table: 'journal_days',
  });
};
