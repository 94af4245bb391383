-- The price book, read: projected from its own streams behind a checkpoint of its own, so that neither it nor the
-- ledger ever waits for the other.
CREATE TABLE price_book_checkpoint (
  projection text PRIMARY KEY,
  store_id text NOT NULL,
  -- Of the last event applied; NULL before the first.
  position text,
  event_at timestamptz,
  events bigint NOT NULL DEFAULT 0
);

-- The audit trail: who changed what, when and why, one row for each event.
CREATE TABLE price_book_changes (
  -- Place in the order of recording, from 1 on.
  ordinal bigint NOT NULL UNIQUE,
  stream text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  event_id text NOT NULL UNIQUE,
  event_type text NOT NULL,
  -- The price version, rule, alert or setting that it is about.
  subject text NOT NULL,
  actor text NOT NULL,
  occurred_at timestamptz NOT NULL,
  effective_from timestamptz,
  reason text,
  data jsonb NOT NULL,
  PRIMARY KEY (stream, revision)
);
CREATE INDEX price_book_changes_occurred ON price_book_changes (occurred_at);

CREATE TABLE vendor_prices (
  price_version text COLLATE "C" PRIMARY KEY,
  provider text NOT NULL,
  model text NOT NULL,
  aliases text[] NOT NULL,
  effective_from timestamptz NOT NULL,
  effective_to timestamptz,
  -- From then on the price is unknown, not free.
  withdrawn_from timestamptz,
  -- As published: decimal strings, US dollars.
  rates jsonb NOT NULL,
  source text NOT NULL,
  source_version text,
  notes text,
  published_by text NOT NULL,
  published_at timestamptz NOT NULL
);
CREATE INDEX vendor_prices_model ON vendor_prices (provider, model, effective_from);

CREATE TABLE multiplier_rules (
  rule_id text COLLATE "C" PRIMARY KEY,
  provider text,
  model text,
  tier text,
  multiplier numeric NOT NULL CHECK (multiplier >= 0),
  effective_from timestamptz NOT NULL,
  withdrawn_from timestamptz,
  status text NOT NULL CHECK (status IN ('proposed', 'approved', 'rejected', 'withdrawn')),
  reason text NOT NULL,
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  decided_by text,
  decided_at timestamptz,
  decision_reason text
);

CREATE TABLE price_alerts (
  alert_id text COLLATE "C" PRIMARY KEY,
  provider text NOT NULL,
  model text NOT NULL,
  severity text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'acknowledged', 'applied', 'ignored')),
  -- The greatest rise of a rate, as a share of it.
  cost_change numeric NOT NULL,
  price_version text NOT NULL,
  applied_version text,
  raised_at timestamptz NOT NULL,
  decided_by text,
  decided_at timestamptz,
  reason text
);

CREATE TABLE setting_changes (
  key text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  value text NOT NULL,
  effective_from timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL,
  reason text,
  PRIMARY KEY (key, stream, revision)
);

-- What settings there are, as this version of the service knows them; no read model of events.
CREATE TABLE setting_definitions (
  key text COLLATE "C" PRIMARY KEY,
  standard text NOT NULL,
  description text NOT NULL
);

-- What holds now. `updated_at` is null where nobody has changed it; a service's environment may say otherwise then.
CREATE VIEW system_config AS
SELECT key, coalesce(c.value, d.standard) AS value,
       coalesce(d.description, 'US dollars for one unit of the currency.') AS description,
       c.updated_at, c.updated_by, c.reason
FROM setting_definitions d
FULL JOIN (
  SELECT DISTINCT ON (key) key, value, updated_at, updated_by, reason
  FROM (
    SELECT key, value, effective_from, updated_at, updated_by, reason, revision FROM setting_changes
    UNION ALL
    SELECT 'default_multiplier', multiplier::text, effective_from, decided_at, decided_by, reason, 0
    FROM multiplier_rules
    WHERE provider IS NULL AND model IS NULL AND tier IS NULL AND decided_at IS NOT NULL
      AND status IN ('approved', 'withdrawn') AND (withdrawn_from IS NULL OR withdrawn_from > now())
  ) AS every_change
  WHERE effective_from <= now()
  ORDER BY key, effective_from DESC, updated_at DESC, revision DESC
) c USING (key);
