-- What each sandbox runs, by the numbers of its workspace's releases; 0 until that is known. A swap takes it along.
ALTER TABLE workspaces ADD COLUMN live_release INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN dev_release INTEGER NOT NULL DEFAULT 0;

-- How many requests may have written to live, and how many of them at the last fork or swap.
ALTER TABLE workspaces ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN writes_shared INTEGER NOT NULL DEFAULT 0;

-- Sandboxes that somebody stopped: no request starts them.
CREATE TABLE stopped (
    sandbox TEXT PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    by TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- What was done to a workspace's routes, releases and volumes. One without an outcome is under way, or was broken off.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('swap', 'promote', 'undo', 'fork', 'restore', 'give')),
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Whose release or volume it is about.
    sandbox TEXT NOT NULL,
    from_release INTEGER NOT NULL,
    to_release INTEGER NOT NULL,
    -- The volume as it was before, which is put back if the change is taken back.
    snapshot TEXT,
    generation INTEGER,
    held_ms INTEGER,
    -- What `workspaces.writes` was at its end.
    writes INTEGER NOT NULL DEFAULT 0,
    outcome TEXT CHECK (outcome IN ('done', 'taken_back', 'undone')),
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX changes_of_workspace ON changes (workspace, id);

-- The promotion that is on probation, if it is no swap, and whether live's volume is put back with its release.
ALTER TABLE probations ADD COLUMN change_id INTEGER;
ALTER TABLE probations ADD COLUMN restore_data INTEGER NOT NULL DEFAULT 0 CHECK (restore_data IN (0, 1));
