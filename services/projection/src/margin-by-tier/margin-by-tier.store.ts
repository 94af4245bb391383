/** Sums are trimmed, so that they are the same bytes however the events were batched. */
export const addMargins = (rows: string): string => `
  INSERT INTO margin_by_tier AS m (tier, local_date, calls, revenue_usd, vendor_cost_usd, refunded_usd)
  SELECT r.tier, r.local_date, r.calls, r.revenue_usd, r.vendor_cost_usd, r.refunded_usd
  FROM moved, json_populate_recordset(NULL::margin_by_tier, ${rows}) r
  ON CONFLICT (tier, local_date) DO UPDATE SET
    calls = m.calls + excluded.calls,
    revenue_usd = trim_scale(m.revenue_usd + excluded.revenue_usd),
    vendor_cost_usd = trim_scale(m.vendor_cost_usd + excluded.vendor_cost_usd),
    refunded_usd = trim_scale(m.refunded_usd + excluded.refunded_usd)`;
