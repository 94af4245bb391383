-- Run after the migration, over any projected data: raises where the books contradict each other.
DO $$
BEGIN
  ASSERT NOT EXISTS (
    SELECT FROM balances b
    WHERE b.balance <> (SELECT coalesce(sum(amount), 0) FROM credit_transactions t
                        WHERE t.account_id = b.account_id)
  ), 'the transactions of an account sum up to its balance';

  ASSERT NOT EXISTS (
    SELECT FROM (
      SELECT balance_before, lag(balance_after, 1, 0)
               OVER (PARTITION BY account_id ORDER BY revision, part) AS previous
      FROM credit_transactions
    ) AS chained WHERE balance_before <> previous
  ), 'each transaction begins where the one before ended';

  ASSERT NOT EXISTS (
    SELECT FROM balances b
    WHERE b.charged <> (SELECT coalesce(sum(greatest(0, charge_credits - refunded_credits)), 0) FROM usage_log u
                        WHERE u.account_id = b.account_id)
  ), 'what an account was charged is the sum of its usage log, less its refunds';

  ASSERT NOT EXISTS (
    SELECT FROM balances b
    WHERE b.reserved <> (SELECT coalesce(sum(amount_credits), 0) FROM open_reservations o
                         WHERE o.account_id = b.account_id)
  ), 'what is reserved is the sum of the open reservations';

  ASSERT NOT EXISTS (
    SELECT FROM
      (SELECT coalesce(sum(greatest(0, charge_credits - refunded_credits) * usd_per_credit), 0) AS usd, coalesce(sum(vendor_cost_usd), 0) AS cost,
              count(*) AS calls FROM usage_log) AS u,
      (SELECT coalesce(sum(revenue_usd), 0) AS usd, coalesce(sum(vendor_cost_usd), 0) AS cost,
              coalesce(sum(calls), 0) AS calls FROM margin_by_tier) AS m,
      (SELECT coalesce(sum(charge_usd), 0) AS usd, coalesce(sum(vendor_cost_usd), 0) AS cost,
              coalesce(sum(calls), 0) AS calls FROM daily_summaries) AS d
    WHERE (u.usd, u.cost, u.calls) <> (m.usd, m.cost, m.calls)
       OR (u.usd, u.cost, u.calls) <> (d.usd, d.cost, d.calls)
  ), 'margins and daily summaries come to the usage log';

  ASSERT (SELECT count(*) FROM margin_by_tier_monthly) <= (SELECT count(*) FROM margin_by_tier_report),
    'months gather days';
  ASSERT (SELECT count(*) FROM account_balances) = (SELECT count(*) FROM balances),
    'the view has every account once';

  BEGIN
    INSERT INTO balances
    VALUES ('acc_bad', 'u', 'pro', 'UTC', 1, 0, 2, 0, 2, 0, 0, 0, 'h', now(), 0, 0, false);
    ASSERT false, 'a balance that does not add up is refused';
  EXCEPTION WHEN check_violation THEN
    NULL;
  END;
END
$$;
