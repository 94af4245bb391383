import { formatMoney, parseMoney, zero, type Money } from '@tollkeeper/kernel';
import type pg from 'pg';

/** What a vendor bills for the tokens of calls that it did, by `<accountId>/<reservationId>`; kept apart from the ledger. */
export class VendorInvoice {
  private readonly lines = new Map<string, Money>();

  /** Again for the same call: the vendor has corrected its bill. */
  bill(call: string, { input = 0, output = 0 }: { input?: number; output?: number }): void {
    this.lines.set(call, gpt4oCostUsd(input, output));
  }

  get totalUsd(): Money {
    return [...this.lines.values()].reduce((sum, costUsd) => sum.plus(costUsd), zero);
  }

  /** Calls on which the ledger's books differ, each in a sentence. */
  differences(booked: ReadonlyMap<string, Money>): string[] {
    const calls = new Set([...this.lines.keys(), ...booked.keys()]);
    return [...calls].flatMap((call) => {
      const [billed, cost] = [this.lines.get(call) ?? zero, booked.get(call) ?? zero];
      if (billed.eq(cost)) return [];
      return [
        `${call} was billed at ${formatMoney(billed)} USD and booked at ${formatMoney(cost)}`,
      ];
    });
  }
}

/** By the vendor's public list: 2.50 and 10.00 USD for a million tokens. */
export const gpt4oCostUsd = (input: number, output: number): Money =>
  parseMoney('0.0000025').times(input).plus(parseMoney('0.00001').times(output));

const rules: Readonly<Record<string, string>> = {
  'debits are not credits': `SELECT sum(debits)::text AS debits, sum(credits)::text AS credits
    FROM read.journal_days HAVING sum(debits) <> sum(credits)`,
  'a balance is below zero': `SELECT account_id, available::text FROM read.balances WHERE available < 0`,
  'a call was sold below its cost': `SELECT account_id, reservation_id, charge_usd::text, vendor_cost_usd::text
    FROM read.usage_log WHERE charge_usd < vendor_cost_usd`,
};

/**
 * What is wrong with the money of the read models, each in a sentence: debits and credits, negative balances, calls sold
 * below their cost, and for the invoice's accounts what the vendor billed against what was booked.
 */
export const moneyFaults = async (
  pool: pg.Pool,
  invoice: VendorInvoice,
  accountIds: readonly string[],
): Promise<string[]> => {
  const faults: string[] = [];
  for (const [rule, sql] of Object.entries(rules)) {
    const { rows } = await pool.query(`${sql} LIMIT 10`);
    faults.push(...rows.map((row) => `${rule}: ${JSON.stringify(row)}`));
  }
  const { rows } = await pool.query<{ call: string; cost: string }>(
    `SELECT account_id || '/' || reservation_id AS call, vendor_cost_usd::text AS cost
     FROM read.usage_log WHERE account_id = ANY($1)`,
    [accountIds],
  );
  const booked = new Map(rows.map(({ call, cost }) => [call, parseMoney(cost)]));
  return [...faults, ...invoice.differences(booked)];
};
