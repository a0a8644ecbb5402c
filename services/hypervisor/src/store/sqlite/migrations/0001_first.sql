-- UUIDs and SHA-256 hashes are blobs; times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    username TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE passkeys (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    credential_id BLOB NOT NULL UNIQUE,
    credential TEXT NOT NULL,
    counter INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX passkeys_of_user ON passkeys (user_id);

CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_by BLOB REFERENCES users ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    used_by BLOB REFERENCES users ON DELETE SET NULL
) STRICT;

CREATE TABLE sessions (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('full', 'recovery')),
    passkey_id BLOB REFERENCES passkeys ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_of_passkey ON sessions (passkey_id);

CREATE TABLE workspaces (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    live TEXT NOT NULL,
    dev TEXT NOT NULL
) STRICT;

-- A user has one workspace.
CREATE TABLE members (
    user_id BLOB PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE
) STRICT;

CREATE INDEX members_of_workspace ON members (workspace);

-- Without references: what happened stays when the user is removed.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    user_id BLOB,
    address TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_of_user ON audit (user_id, id);
