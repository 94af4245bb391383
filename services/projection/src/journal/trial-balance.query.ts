import type { Pool } from '@tollkeeper/postgres';
import { answer, type Answer } from '../projector/as-of.js';

/** An account of the chart over all customers, in credits as decimal strings. */
export interface TrialBalanceRead {
  readonly account: string;
  readonly debits: string;
  readonly credits: string;
  /** Debits less credits; the sum over all accounts is 0. */
  readonly balance: string;
}

export interface TrialBalanceQuery {
  /** Both inclusive; without `from` the balances as of `to`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const readTrialBalance = (
  pool: Pool,
  { from, to }: TrialBalanceQuery,
): Promise<Answer<TrialBalanceRead>> =>
  answer<TrialBalanceRead>(pool, {
    select: `SELECT account, trim_scale(sum(debits)) AS debits, trim_scale(sum(credits)) AS credits,
        trim_scale(sum(debits) - sum(credits)) AS balance
      FROM journal_days
      WHERE local_date BETWEEN coalesce($1, '-infinity')::date AND coalesce($2, 'infinity')::date
      GROUP BY account`,
    orderBy: 'r.account',
    about: 'everyone',
    values: [from ?? null, to ?? null],
  });
