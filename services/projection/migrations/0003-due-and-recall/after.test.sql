-- Run after the migration, over any projected data: raises where the index of reservations is wrong.
DO $$
BEGIN
  ASSERT NOT EXISTS (
    SELECT FROM usage_log WHERE cardinality(revisions) < 2 OR NOT revision = ANY (revisions)
  ), 'a charged call was reserved before, and names both events';
  ASSERT NOT EXISTS (
    SELECT FROM released_reservations
    WHERE cardinality(revisions) <> 2 OR revisions[2] <> revision OR revisions[1] >= revision
  ), 'a released call names its reservation and its release';
  ASSERT NOT EXISTS (
    SELECT account_id, r FROM usage_log, unnest(revisions) AS r GROUP BY account_id, r HAVING count(*) > 1
  ), 'an event is about one reservation';
  ASSERT NOT EXISTS (
    SELECT FROM usage_log u JOIN balances b USING (account_id), unnest(u.revisions) AS r WHERE r > b.revision
  ), 'no event is ahead of its account';
END
$$;
