-- The name of the passkey that confirmed an act.
ALTER TABLE audit ADD COLUMN passkey TEXT;

-- What has changed about who gets into an account, for those who did not change it themselves.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The passkey that confirmed it: whoever has that one did it.
    passkey_id BLOB,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX notices_of_user ON notices (user_id, id);

-- The last notice that was seen by whoever has this passkey.
ALTER TABLE passkeys ADD COLUMN notices_seen INTEGER NOT NULL DEFAULT 0;
