-- A change may be a move to another machine.
ALTER TABLE changes RENAME TO changes_before;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('swap', 'promote', 'undo', 'fork', 'restore', 'give', 'move')),
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

INSERT INTO changes SELECT * FROM changes_before;

DROP TABLE changes_before;

CREATE INDEX changes_of_workspace ON changes (workspace, id);

-- Workspaces on their way to another machine, and what either machine still has to put away. Until then the slots of
-- both are taken. It outlives the workspace, for its data do.
CREATE TABLE moves (
    workspace TEXT PRIMARY KEY,
    -- What its data are called on the way.
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    source_slot INTEGER,
    -- Whether the sandbox that was born dev is live.
    swapped INTEGER NOT NULL CHECK (swapped IN (0, 1)),
    target TEXT NOT NULL,
    target_slot INTEGER,
    -- Under way; done, and the source has its data still; taken back, and the target has them still.
    state TEXT NOT NULL CHECK (state IN ('begun', 'done', 'taken_back'))
) STRICT;
