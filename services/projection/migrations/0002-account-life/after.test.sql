-- Run after the migration, over any projected data: raises where the books contradict each other.
DO $$
BEGIN
  ASSERT NOT EXISTS (
    SELECT FROM balances b
    LEFT JOIN (
      SELECT account_id, sum(amount) AS amount, sum(reserved) AS reserved,
             sum(available) AS available, sum(lapsed) AS lapsed, sum(voided) AS voided
      FROM grants GROUP BY account_id
    ) AS g USING (account_id)
    WHERE (b.granted, b.reserved, b.available, b.lapsed, b.voided) IS DISTINCT FROM
      (coalesce(g.amount, 0), coalesce(g.reserved, 0), coalesce(g.available, 0),
       coalesce(g.lapsed, 0), coalesce(g.voided, 0))
  ), 'an account has what its grants have';

  ASSERT NOT EXISTS (
    SELECT FROM grants
    WHERE least(available, reserved, drawn, lapsed, voided) < 0
       OR (state <> 'active' AND (available <> 0 OR ended_at IS NULL))
       OR (state = 'active' AND ended_at IS NOT NULL)
  ), 'no grant gives more than it has, and an ended one has nothing available';

  ASSERT NOT EXISTS (
    SELECT FROM usage_log
    WHERE refunded_credits < 0 OR (refunded_credits > charge_credits AND NOT corrected)
  ), 'no call is refunded more than it was charged; a correction may undercut the refund later';

  ASSERT NOT EXISTS (
    SELECT FROM
      (SELECT coalesce(sum(refunded_credits * usd_per_credit), 0) AS usd FROM usage_log) AS u,
      (SELECT coalesce(sum(refunded_usd), 0) AS usd FROM margin_by_tier) AS m,
      (SELECT coalesce(sum(refunded_usd), 0) AS usd FROM daily_summaries) AS d
    WHERE u.usd <> m.usd OR u.usd <> d.usd
  ), 'margins and daily summaries know every refund';

  ASSERT NOT EXISTS (
    SELECT FROM balances b
    WHERE (SELECT coalesce(sum(adjusted_credits), 0) FROM daily_summaries d
           WHERE d.account_id = b.account_id)
       <> (SELECT coalesce(sum(amount), 0) FROM grants g
           WHERE g.account_id = b.account_id AND kind = 'adjustment') - b.adjusted
  ), 'daily summaries know every adjustment';

  ASSERT (SELECT coalesce(sum(balance), 0) FROM trial_balance) = 0, 'the books balance';

  ASSERT NOT EXISTS (
    SELECT FROM
      (SELECT coalesce(sum(available), 0) AS available, coalesce(sum(reserved), 0) AS reserved,
              coalesce(sum(debt), 0) AS debt FROM balances) AS b,
      (SELECT coalesce(-sum(balance) FILTER (WHERE account = 'liability:credits:available'), 0) AS available,
              coalesce(-sum(balance) FILTER (WHERE account = 'liability:credits:reserved'), 0) AS reserved,
              coalesce(sum(balance) FILTER (WHERE account = 'asset:receivable:debt'), 0) AS debt
       FROM trial_balance) AS j
    WHERE (b.available, b.reserved, b.debt) <> (j.available, j.reserved, j.debt)
  ), 'the journal owes customers what their balances say';

  ASSERT (SELECT count(*) FROM account_balances) = (SELECT count(*) FROM balances),
    'the view has every account once';
END
$$;
