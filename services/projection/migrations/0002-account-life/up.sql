-- Earlier rows know nothing of grants and refunds, and the events know everything: all read models are emptied
-- with their checkpoint, and the projector makes them anew when it starts. Reads are marked stale meanwhile.
TRUNCATE checkpoints, parked_accounts, balances, open_reservations, released_reservations, usage_log,
  credit_transactions, margin_by_tier, daily_summaries;

ALTER TABLE balances
  -- Taken back with the grants that were voided.
  ADD COLUMN voided numeric NOT NULL,
  -- Downward adjustments; an upward one is granted.
  ADD COLUMN adjusted numeric NOT NULL,
  ADD COLUMN frozen boolean NOT NULL,
  DROP CONSTRAINT balances_check2,
  ADD CONSTRAINT balances_explained
    CHECK (balance = granted - charged - lapsed - voided - adjusted);

DROP VIEW account_balances;
CREATE VIEW account_balances AS
SELECT balances.*, parked_accounts.reason AS parked_because
FROM balances LEFT JOIN parked_accounts USING (account_id);

-- Of charge_credits, which stays as it was charged.
ALTER TABLE usage_log ADD COLUMN refunded_credits numeric NOT NULL;

-- By how much refunds have lowered the revenue beside it.
ALTER TABLE margin_by_tier ADD COLUMN refunded_usd numeric NOT NULL;

ALTER TABLE daily_summaries
  ADD COLUMN refunds bigint NOT NULL,
  -- By how much refunds have lowered the charges beside them.
  ADD COLUMN refunded_credits numeric NOT NULL,
  ADD COLUMN refunded_usd numeric NOT NULL,
  -- Upward less downward adjustments: no revenue.
  ADD COLUMN adjusted_credits numeric NOT NULL;

CREATE OR REPLACE VIEW margin_by_tier_report AS
SELECT tier, local_date, calls, revenue_usd, vendor_cost_usd, margin_usd,
       round(100 * margin_usd / NULLIF(revenue_usd, 0), 2) AS margin_percent, refunded_usd
FROM margin_by_tier;

CREATE OR REPLACE VIEW margin_by_tier_monthly AS
SELECT tier, date_trunc('month', local_date)::date AS month, sum(calls) AS calls,
       trim_scale(sum(revenue_usd)) AS revenue_usd,
       trim_scale(sum(vendor_cost_usd)) AS vendor_cost_usd,
       trim_scale(sum(margin_usd)) AS margin_usd,
       round(100 * sum(margin_usd) / NULLIF(sum(revenue_usd), 0), 2) AS margin_percent,
       trim_scale(sum(refunded_usd)) AS refunded_usd
FROM margin_by_tier
GROUP BY tier, date_trunc('month', local_date);

CREATE TABLE grants (
  account_id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  -- Of the CreditsGranted: the order of an account's rows.
  revision bigint NOT NULL,
  kind text NOT NULL,
  priority bigint NOT NULL,
  effective_at timestamptz NOT NULL,
  expires_at timestamptz,
  amount numeric NOT NULL,
  -- Where the amount is now.
  available numeric NOT NULL,
  reserved numeric NOT NULL,
  -- For good: by charges, repaid debts and downward adjustments, less what came back.
  drawn numeric NOT NULL,
  lapsed numeric NOT NULL,
  voided numeric NOT NULL,
  cost_basis_usd numeric,
  external_reference text,
  reason_code text,
  refund_id text,
  top_up_id text,
  recurring_id text,
  recurring_period text,
  state text NOT NULL CHECK (state IN ('active', 'expired', 'voided')),
  granted_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (account_id, grant_id),
  CHECK (amount = available + reserved + drawn + lapsed + voided)
)
-- A busy account's grant is written with each batch; room beside it keeps those writes off the index.
WITH (fillfactor = 70);
CREATE INDEX grants_page ON grants (account_id, revision);

CREATE TABLE limits (
  account_id text COLLATE "C" NOT NULL,
  limit_id text COLLATE "C" NOT NULL,
  -- Of the last LimitSet: the order of an account's rows.
  revision bigint NOT NULL,
  scope_type text NOT NULL,
  -- NULL for the account itself.
  scope_id text,
  time_window text NOT NULL,
  unit text NOT NULL,
  amount numeric NOT NULL,
  mode text NOT NULL,
  -- From when it counts.
  set_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  -- The last window in which a soft limit was passed.
  warned_period text,
  warned_used numeric,
  warned_at timestamptz,
  PRIMARY KEY (account_id, limit_id)
);

-- How far the ledger's events have been published. No read model: a rebuild publishes nothing again.
CREATE TABLE publications (
  stream text PRIMARY KEY,
  store_id text NOT NULL,
  -- Of the last event published; NULL before the first.
  position text
);

-- The journal by account of the chart and day, over all customers. Entries themselves are a pure function of the events.
CREATE TABLE journal_days (
  local_date date NOT NULL,
  account text NOT NULL,
  -- Credits; neither is negative.
  debits numeric NOT NULL,
  credits numeric NOT NULL,
  PRIMARY KEY (local_date, account)
);

CREATE VIEW trial_balance AS
SELECT account, trim_scale(sum(debits)) AS debits, trim_scale(sum(credits)) AS credits,
       trim_scale(sum(debits) - sum(credits)) AS balance
FROM journal_days
GROUP BY account;
