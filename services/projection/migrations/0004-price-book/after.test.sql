-- Run after the migration, over any projected data: raises where the read price book contradicts itself.
DO $$
BEGIN
  ASSERT NOT EXISTS (
    SELECT FROM multiplier_rules WHERE (decided_at IS NULL) <> (status = 'proposed')
  ), 'a rule is open until it is decided';
  ASSERT NOT EXISTS (
    SELECT FROM price_alerts WHERE (applied_version IS NOT NULL) <> (state = 'applied')
  ), 'an applied alert names what it published';
  ASSERT (SELECT count(*) FROM price_book_changes) = coalesce((SELECT sum(events) FROM price_book_checkpoint), 0),
    'every event of the price book is in the audit trail, once';
  ASSERT NOT EXISTS (SELECT key FROM system_config GROUP BY key HAVING count(*) > 1), 'a setting has one value';
END
$$;
