-- A change may be a move to another machine.
ALTER TABLE changes DROP CONSTRAINT changes_kind_check;
ALTER TABLE changes ADD CONSTRAINT changes_kind_check
    CHECK (kind IN ('swap', 'promote', 'undo', 'fork', 'restore', 'give', 'move'));

-- Workspaces on their way to another machine, and what either machine still has to put away. Until then the slots of
-- both are taken. It outlives the workspace, for its data do.
CREATE TABLE moves (
    workspace TEXT COLLATE "C" PRIMARY KEY,
    -- What its data are called on the way.
    id TEXT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    source_slot BIGINT,
    -- Whether the sandbox that was born dev is live.
    swapped BOOLEAN NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    target_slot BIGINT,
    -- Under way; done, and the source has its data still; taken back, and the target has them still.
    state TEXT NOT NULL CHECK (state IN ('begun', 'done', 'taken_back'))
);

CREATE TRIGGER note AFTER INSERT OR DELETE OR UPDATE ON moves
    FOR EACH ROW EXECUTE FUNCTION note_change('workspace', 'workspace');
