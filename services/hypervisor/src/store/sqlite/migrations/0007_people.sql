-- Since when a person may not log in.
ALTER TABLE users ADD COLUMN disabled_at INTEGER;
-- The one of their workspaces that a person is led to; none: the first that they joined.
ALTER TABLE users ADD COLUMN workspace TEXT REFERENCES workspaces ON DELETE SET NULL;

-- A person may be a member of several workspaces.
CREATE TABLE memberships (
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    PRIMARY KEY (user_id, workspace)
) STRICT;
INSERT INTO memberships (user_id, workspace) SELECT user_id, workspace FROM members ORDER BY rowid;
DROP TABLE members;
ALTER TABLE memberships RENAME TO members;
CREATE INDEX members_of_workspace ON members (workspace);

-- The slot of the host that a workspace has, if it is not a declared one.
ALTER TABLE workspaces ADD COLUMN slot INTEGER CHECK (slot > 0);
CREATE UNIQUE INDEX workspaces_of_slot ON workspaces (slot);
-- Whether it was ever somebody's: what the configuration names no members of goes to a new person only if it was not.
ALTER TABLE workspaces ADD COLUMN owned INTEGER NOT NULL DEFAULT 0 CHECK (owned IN (0, 1));
UPDATE workspaces SET owned = 1 WHERE name IN (SELECT workspace FROM members);
-- The archive that it is on its way to, or comes from: it is served to nobody meanwhile.
ALTER TABLE workspaces ADD COLUMN archive TEXT;

-- Who may use an invite, and the workspace that it leads to; without one, a new one.
ALTER TABLE invites ADD COLUMN id BLOB CHECK (length(id) = 16);
UPDATE invites SET id = randomblob(16);
CREATE UNIQUE INDEX invites_by_id ON invites (id);
ALTER TABLE invites ADD COLUMN username TEXT;
ALTER TABLE invites ADD COLUMN workspace TEXT REFERENCES workspaces ON DELETE CASCADE;
ALTER TABLE invites ADD COLUMN revoked_at INTEGER;

-- What lets programs in, in a person's name. Scopes are words with blanks between them.
CREATE TABLE tokens (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
    user_id BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    -- The only workspace that it is good for, if it is not good for all of its user's.
    workspace TEXT REFERENCES workspaces ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE INDEX tokens_of_user ON tokens (user_id);
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- Workspaces that were removed with their last member. The data are kept until they are deleted.
CREATE TABLE archives (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    -- The names of those who were its members, as a JSON list.
    members TEXT NOT NULL,
    -- The slot that it had, and whether the sandbox that was born dev was live.
    slot INTEGER,
    swapped INTEGER NOT NULL CHECK (swapped IN (0, 1)),
    generation INTEGER NOT NULL,
    live_release INTEGER NOT NULL,
    dev_release INTEGER NOT NULL,
    at INTEGER NOT NULL,
    delete_at INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0,
    -- `deleting`: its data are being removed.
    state TEXT NOT NULL CHECK (state IN ('making', 'kept', 'restoring', 'deleting'))
) STRICT;

-- Who did it: a username, a username with a token, or the operator.
ALTER TABLE audit ADD COLUMN actor TEXT;
