import type { Pool } from '@tollkeeper/postgres';
import { formatMoney, parseMoney } from '@tollkeeper/kernel';
import { type Balance } from './balances.projection.js';

/** A row of `balances`, by the table's own names. */
export interface BalanceRow {
  readonly account_id: string;
  readonly user_id: string;
  readonly tier: string;
  readonly time_zone: string;
  readonly balance: string;
  readonly reserved: string;
  readonly available: string;
  readonly debt: string;
  readonly granted: string;
  readonly charged: string;
  readonly lapsed: string;
  readonly voided: string;
  readonly adjusted: string;
  readonly frozen: boolean;
  readonly revision: number;
  readonly head_hash: string;
  readonly updated_at: string;
}

export const toBalanceRow = (balance: Balance, headHash: string): BalanceRow => ({
  account_id: balance.accountId,
  user_id: balance.ownerUserId,
  tier: balance.tier,
  time_zone: balance.timeZone,
  balance: formatMoney(balance.balance),
  reserved: formatMoney(balance.reserved),
  available: formatMoney(balance.available),
  debt: formatMoney(balance.debt),
  granted: formatMoney(balance.granted),
  charged: formatMoney(balance.charged),
  lapsed: formatMoney(balance.lapsed),
  voided: formatMoney(balance.voided),
  adjusted: formatMoney(balance.adjusted),
  frozen: balance.frozen,
  revision: balance.revision,
  head_hash: headHash,
  updated_at: balance.updatedAt,
});

export const saveBalances = (rows: string): string => `
  INSERT INTO balances
  SELECT r.* FROM moved, json_populate_recordset(NULL::balances, ${rows}) r
  ON CONFLICT (account_id) DO UPDATE SET
    balance = excluded.balance, reserved = excluded.reserved, available = excluded.available,
    debt = excluded.debt, granted = excluded.granted, charged = excluded.charged,
    lapsed = excluded.lapsed, voided = excluded.voided, adjusted = excluded.adjusted,
    frozen = excluded.frozen, tier = excluded.tier, revision = excluded.revision,
    head_hash = excluded.head_hash, updated_at = excluded.updated_at`;

type Loaded = Omit<BalanceRow, 'revision' | 'updated_at'> & {
  readonly revision: string;
  readonly updated_at: Date;
};

export const loadBalances = async (
  pool: Pool,
  accountIds: readonly string[],
): Promise<Balance[]> => {
  const { rows } = await pool.query<Loaded>('SELECT * FROM balances WHERE account_id = ANY ($1)', [
    accountIds,
  ]);
  return rows.map((row) => ({
    accountId: row.account_id,
    ownerUserId: row.user_id,
    tier: row.tier,
    timeZone: row.time_zone,
    balance: parseMoney(row.balance),
    available: parseMoney(row.available),
    reserved: parseMoney(row.reserved),
    debt: parseMoney(row.debt),
    granted: parseMoney(row.granted),
    charged: parseMoney(row.charged),
    lapsed: parseMoney(row.lapsed),
    voided: parseMoney(row.voided),
    adjusted: parseMoney(row.adjusted),
    frozen: row.frozen,
    revision: Number(row.revision),
    updatedAt: row.updated_at.toISOString(),
  }));
};
