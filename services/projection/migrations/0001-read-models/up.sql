-- Names are unqualified on purpose: the connection's search_path says which schema, so that the proof
-- builds its shadow from this very file. Amounts are numeric without a scale: exact, never rounded.

CREATE TABLE checkpoints (
  projection text PRIMARY KEY,
  store_id text NOT NULL,
  -- Of the last event applied; NULL before the first.
  position text,
  event_at timestamptz,
  events bigint NOT NULL DEFAULT 0,
  -- True from a reset until the head was reached: reads are marked stale meanwhile.
  rebuilding boolean NOT NULL DEFAULT true
);

-- Accounts whose stream cannot be read on: their rows stand still at the last good event.
CREATE TABLE parked_accounts (
  account_id text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  event_id text NOT NULL,
  event_type text NOT NULL,
  reason text NOT NULL
);

CREATE TABLE balances (
  account_id text COLLATE "C" PRIMARY KEY,
  user_id text NOT NULL,
  tier text NOT NULL,
  time_zone text NOT NULL,
  balance numeric NOT NULL,
  reserved numeric NOT NULL,
  available numeric NOT NULL,
  debt numeric NOT NULL,
  granted numeric NOT NULL,
  charged numeric NOT NULL,
  lapsed numeric NOT NULL,
  revision bigint NOT NULL,
  -- eventHash of that revision: binds the row to the bytes of the whole stream.
  head_hash text NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (available >= 0 AND reserved >= 0 AND debt >= 0),
  CHECK (balance = available + reserved - debt),
  CHECK (balance = granted - charged - lapsed)
);

CREATE TABLE open_reservations (
  account_id text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  user_id text NOT NULL,
  project_id text,
  key_id text,
  task_type text,
  context jsonb,
  tier text NOT NULL,
  amount_credits numeric NOT NULL,
  -- The first candidate of the fallback chain; NULL for a plain amount.
  provider text,
  model text,
  requested_at timestamptz NOT NULL,
  reserved_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, reservation_id)
);
CREATE INDEX open_reservations_due ON open_reservations (expires_at);

-- Kept because usage may come late, and because a failed call is worth a question.
CREATE TABLE released_reservations (
  account_id text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  user_id text NOT NULL,
  project_id text,
  key_id text,
  task_type text,
  context jsonb,
  tier text NOT NULL,
  amount_credits numeric NOT NULL,
  provider text,
  model text,
  requested_at timestamptz NOT NULL,
  reserved_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  reason text NOT NULL,
  attempts jsonb NOT NULL,
  released_at timestamptz NOT NULL,
  local_date date NOT NULL,
  PRIMARY KEY (account_id, reservation_id)
);

CREATE TABLE usage_log (
  account_id text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  -- Of the Settled or SettledLate: the order of an account's rows.
  revision bigint NOT NULL,
  user_id text NOT NULL,
  project_id text,
  key_id text,
  task_type text,
  context jsonb,
  tier text NOT NULL,
  -- The attempt that answered; NULL for a plain amount.
  provider text,
  model text,
  answered_model text,
  vendor_request_id text,
  service_tier text,
  price_version text,
  multiplier numeric,
  multiplier_rule text,
  multiplier_level text,
  -- Over all billed attempts.
  provenance text,
  -- NULL where nobody knows: unknown is never zero.
  input_tokens bigint,
  output_tokens bigint,
  pools jsonb NOT NULL,
  vendor_cost_usd numeric NOT NULL,
  usd_per_credit numeric NOT NULL,
  charge_credits numeric NOT NULL,
  charge_usd numeric NOT NULL,
  rounding_credits numeric NOT NULL,
  debt_credits numeric NOT NULL,
  flags jsonb NOT NULL,
  late boolean NOT NULL,
  corrected boolean NOT NULL,
  requested_at timestamptz NOT NULL,
  settled_at timestamptz NOT NULL,
  local_date date NOT NULL,
  -- json, because parsing the largest column into jsonb took a third of the whole write.
  attempts json NOT NULL,
  PRIMARY KEY (account_id, reservation_id)
);
CREATE INDEX usage_log_page ON usage_log (account_id, revision);

CREATE TABLE credit_transactions (
  account_id text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  -- 0, or 1 for what lapsed by the same event.
  part smallint NOT NULL,
  id text NOT NULL,
  user_id text NOT NULL,
  project_id text,
  usage_id text,
  type text NOT NULL
    CHECK (type IN ('topup', 'deduction', 'refund', 'adjustment', 'initial_grant')),
  amount numeric NOT NULL,
  balance_before numeric NOT NULL,
  balance_after numeric NOT NULL,
  vendor_cost_usd numeric,
  external_id text,
  description text NOT NULL,
  metadata jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, revision, part),
  CHECK (balance_after = balance_before + amount)
);

CREATE TABLE margin_by_tier (
  tier text NOT NULL,
  local_date date NOT NULL,
  calls bigint NOT NULL,
  revenue_usd numeric NOT NULL,
  vendor_cost_usd numeric NOT NULL,
  margin_usd numeric NOT NULL GENERATED ALWAYS AS (trim_scale(revenue_usd - vendor_cost_usd)) STORED,
  PRIMARY KEY (tier, local_date)
);

CREATE TABLE daily_summaries (
  account_id text COLLATE "C" NOT NULL,
  local_date date NOT NULL,
  tier text NOT NULL,
  calls bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  vendor_cost_usd numeric NOT NULL,
  charge_credits numeric NOT NULL,
  charge_usd numeric NOT NULL,
  exact bigint NOT NULL,
  vendor_reported bigint NOT NULL,
  estimated bigint NOT NULL,
  unknown bigint NOT NULL,
  late bigint NOT NULL,
  corrections bigint NOT NULL,
  failed bigint NOT NULL,
  cancelled bigint NOT NULL,
  expired bigint NOT NULL,
  PRIMARY KEY (account_id, local_date, tier)
);
CREATE INDEX daily_summaries_page ON daily_summaries (local_date, account_id, tier);

-- The public read interface for finance: ratios computed, never stored.
CREATE VIEW margin_by_tier_report AS
SELECT tier, local_date, calls, revenue_usd, vendor_cost_usd, margin_usd,
       round(100 * margin_usd / NULLIF(revenue_usd, 0), 2) AS margin_percent
FROM margin_by_tier;

CREATE VIEW margin_by_tier_monthly AS
SELECT tier, date_trunc('month', local_date)::date AS month, sum(calls) AS calls,
       trim_scale(sum(revenue_usd)) AS revenue_usd,
       trim_scale(sum(vendor_cost_usd)) AS vendor_cost_usd,
       trim_scale(sum(margin_usd)) AS margin_usd,
       round(100 * sum(margin_usd) / NULLIF(sum(revenue_usd), 0), 2) AS margin_percent
FROM margin_by_tier
GROUP BY tier, date_trunc('month', local_date);

CREATE VIEW account_balances AS
SELECT balances.*, parked_accounts.reason AS parked_because
FROM balances LEFT JOIN parked_accounts USING (account_id);
