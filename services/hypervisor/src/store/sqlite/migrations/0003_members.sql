-- Whom the configuration has taken out of a workspace, and who is in no other: they get none by
-- themselves, as a new user might.
CREATE TABLE taken_out (
    user_id BLOB PRIMARY KEY REFERENCES users ON DELETE CASCADE
) STRICT;

-- A workspace that is no longer declared where all must be: kept as it was, and served to nobody.
ALTER TABLE workspaces ADD COLUMN retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));

-- A workspace's last swap on probation, and what came of it. Without an outcome it is still watched.
CREATE TABLE probations (
    workspace TEXT PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    secs INTEGER NOT NULL,
    until INTEGER NOT NULL,
    outcome TEXT CHECK (outcome IN ('passed', 'taken_back', 'overtaken')),
    detail TEXT NOT NULL
) STRICT;
