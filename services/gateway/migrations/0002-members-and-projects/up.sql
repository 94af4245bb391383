-- Who belongs to an account, and what its calls are for. Ids only: names of persons are kept nowhere.
CREATE TABLE identity.members (
  account_id text NOT NULL,
  user_id    text NOT NULL REFERENCES identity.users,
  role       text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  added_at   timestamptz NOT NULL DEFAULT now(),
  removed_at timestamptz,
  PRIMARY KEY (account_id, user_id)
);

CREATE TABLE identity.projects (
  account_id  text NOT NULL,
  project_id  text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  PRIMARY KEY (account_id, project_id)
);

-- Whoever has a key is a member; the first of them was who opened the account.
INSERT INTO identity.members (account_id, user_id, role, added_at)
SELECT account_id, user_id,
       CASE row_number() OVER (PARTITION BY account_id ORDER BY min(created_at), min(key_id))
         WHEN 1 THEN 'owner' ELSE 'member' END,
       min(created_at)
FROM identity.api_keys
WHERE revoked_at IS NULL
GROUP BY account_id, user_id;

INSERT INTO identity.projects (account_id, project_id, created_at)
SELECT account_id, project_id, min(created_at)
FROM identity.api_keys
WHERE project_id IS NOT NULL
GROUP BY account_id, project_id;

-- Keys are listed by account, a page at a time.
CREATE INDEX api_keys_account_page ON identity.api_keys (account_id, key_id);
DROP INDEX identity.api_keys_account;
