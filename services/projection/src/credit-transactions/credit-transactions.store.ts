export const insertTransactions = (rows: string): string => `
  INSERT INTO credit_transactions
  SELECT r.* FROM moved, json_populate_recordset(NULL::credit_transactions, ${rows}) r`;
