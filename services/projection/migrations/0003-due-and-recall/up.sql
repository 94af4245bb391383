-- Every row of usage and releases names its events from now on, which only a projection from zero can tell: the next
-- start makes them anew.
TRUNCATE checkpoints, parked_accounts, balances, open_reservations, released_reservations, usage_log,
  credit_transactions, margin_by_tier, daily_summaries, grants, limits, journal_days;

-- Ascending, from the Reserved on. They are the index by which the credit service recalls what it has forgotten.
ALTER TABLE released_reservations ADD COLUMN revisions bigint[] NOT NULL;
ALTER TABLE usage_log ADD COLUMN revisions bigint[] NOT NULL;

CREATE INDEX grants_due ON grants (expires_at) WHERE state = 'active' AND expires_at IS NOT NULL;

-- What an account has to do at a time, besides expiring its open reservations and grants.
CREATE TABLE due_work (
  account_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind = 'recurring'),
  id text COLLATE "C" NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, kind, id)
);
CREATE INDEX due_work_due ON due_work (due_at);
