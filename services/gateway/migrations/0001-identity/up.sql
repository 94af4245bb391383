-- People and their keys. What a key may do is the account's business; nothing here knows a balance.
CREATE TABLE identity.users (
  user_id    text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identity.api_keys (
  key_id     text PRIMARY KEY,
  -- SHA-256 of the whole key: 32 random bytes need no slow hash, and the key itself is kept nowhere.
  key_hash   bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
  account_id text NOT NULL,
  user_id    text NOT NULL REFERENCES identity.users,
  project_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

CREATE INDEX api_keys_account ON identity.api_keys (account_id);
