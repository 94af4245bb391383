/** Sums are trimmed, so that they are the same bytes however the events were batched. */
export const addJournalDays = (rows: string): string => `
  INSERT INTO journal_days AS j
  SELECT r.* FROM moved, json_populate_recordset(NULL::journal_days, ${rows}) r
  ON CONFLICT (local_date, account) DO UPDATE SET
    debits = trim_scale(j.debits + excluded.debits),
    credits = trim_scale(j.credits + excluded.credits)`;
