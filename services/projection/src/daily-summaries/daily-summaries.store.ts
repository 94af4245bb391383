import { dayAmounts, dayCounts } from './daily-summaries.projection.js';

/** Amounts are trimmed, so that they are the same bytes however the events were batched. */
const sums = [
  ...dayCounts.map((column) => `${column} = d.${column} + excluded.${column}`),
  ...dayAmounts.map((column) => `${column} = trim_scale(d.${column} + excluded.${column})`),
];

export const addDays = (rows: string): string => `
  INSERT INTO daily_summaries AS d
  SELECT r.* FROM moved, json_populate_recordset(NULL::daily_summaries, ${rows}) r
  ON CONFLICT (account_id, local_date, tier) DO UPDATE SET
    ${sums.join(', ')}`;
