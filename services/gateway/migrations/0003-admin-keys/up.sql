-- Who administers prices and settings, in which role. An actor is an id: the name behind it is kept elsewhere.
CREATE TABLE identity.admin_keys (
  key_id     text PRIMARY KEY,
  -- SHA-256 of the whole key, as in api_keys.
  key_hash   bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
  actor      text NOT NULL,
  role       text NOT NULL CHECK (role IN ('viewer', 'pricer', 'admin')),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
