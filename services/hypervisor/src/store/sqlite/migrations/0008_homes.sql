-- The machine whose sandboxes a workspace's are, where there are several, and how often that changed.
ALTER TABLE workspaces ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archives ADD COLUMN home TEXT NOT NULL DEFAULT '';

-- Each machine has its own slots, and sandboxes of the same names.
DROP INDEX workspaces_of_slot;
CREATE UNIQUE INDEX workspaces_of_slot ON workspaces (home, slot);

ALTER TABLE stopped RENAME TO stopped_before;

CREATE TABLE stopped (
    workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    sandbox TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (workspace, sandbox)
) STRICT;

INSERT INTO stopped (workspace, sandbox, by, at)
SELECT workspace, sandbox, by, at FROM stopped_before;

DROP TABLE stopped_before;
