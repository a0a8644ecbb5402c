-- Who may look at a workspace's sandbox of each role; it stays with the role at a swap.
ALTER TABLE workspaces ADD COLUMN access_live TEXT NOT NULL DEFAULT 'members'
    CHECK (access_live IN ('members', 'users', 'public'));
ALTER TABLE workspaces ADD COLUMN access_dev TEXT NOT NULL DEFAULT 'members'
    CHECK (access_dev IN ('members', 'users', 'public'));

-- What lets the browser of a session in at a sandbox's own host. It ends with the session.
CREATE TABLE grants (
    token BLOB PRIMARY KEY CHECK (length(token) = 32),
    session_id BLOB NOT NULL REFERENCES sessions ON DELETE CASCADE,
    host TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX grants_of_session ON grants (session_id, host);
