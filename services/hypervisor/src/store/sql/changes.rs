//! Changes, the releases in use, and who stopped what.

use super::{Database, Row, Statements, params, probations, workspaces};
use crate::role::Role;
use crate::store::{
    ChangeKind, ChangeRow, ChangeStore, Commit, Conflict, NewChange, PinnedReleases, StoppedRow,
    StoreError, WorkspaceRow,
};
use crate::timestamp::Timestamp;

/// Changes that are kept of a workspace.
const MOST: i64 = 500;

/// Workspaces that one statement is about.
const AT_ONCE: usize = 500;

const COLUMNS: &str = "id, workspace, kind, by, at, sandbox, from_release, to_release, snapshot,
    generation, held_ms, writes, outcome, detail";

fn change(row: &Row) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        id: row.get(0)?,
        workspace: row.get(1)?,
        kind: row.get(2)?,
        by: row.get(3)?,
        at: row.get(4)?,
        sandbox: row.get(5)?,
        from_release: row.get(6)?,
        to_release: row.get(7)?,
        snapshot: row.get(8)?,
        generation: row.get(9)?,
        held_ms: row.get(10)?,
        writes: row.get(11)?,
        outcome: row.get(12)?,
        detail: row.get(13)?,
    })
}

/// Of what is long over.
fn forget(tx: &Statements, workspace: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM changes WHERE workspace = ?1 AND outcome IS NOT NULL AND id <=
         (SELECT id FROM changes WHERE workspace = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![workspace, MOST],
    )?;
    Ok(())
}

fn commit(tx: &Statements, commit: &Commit) -> Result<WorkspaceRow, StoreError> {
    let column = match commit.role {
        Role::Live => "live_release",
        Role::Dev => "dev_release",
    };
    let shared = if commit.is_fork {
        "?4"
    } else {
        "writes_shared"
    };
    let sql = format!(
        "UPDATE workspaces SET {column} = ?3, generation = generation + 1, writes = ?4, writes_shared = {shared}
         WHERE name = ?1 AND generation = ?2"
    );
    let expected = commit.expect_generation;
    let (release, writes) = (commit.release, commit.writes);
    let changed = tx.execute(&sql, params![commit.workspace, expected, release, writes])?;
    if changed != 1 {
        return Err(Conflict::Generation.into());
    }
    tx.execute(
        "UPDATE changes SET outcome = 'done', generation = ?2, held_ms = ?3, writes = ?4 WHERE id = ?1",
        params![commit.id, expected + 1, commit.held_ms, writes],
    )?;
    if let Some(undone) = commit.undoes {
        tx.execute(
            "UPDATE changes SET outcome = 'undone' WHERE id = ?1",
            params![undone],
        )?;
    }
    let now = workspaces::named(tx, &commit.workspace)?;
    probations::changed(tx, &now, &commit.watch)?;
    Ok(now)
}

/// Notes that one begins.
pub(super) fn begin(tx: &Statements, new: &NewChange) -> Result<i64, StoreError> {
    forget(tx, &new.workspace)?;
    let sql =
        "INSERT INTO changes (workspace, kind, by, at, sandbox, from_release, to_release, snapshot, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '') RETURNING id";
    tx.value(
        sql,
        params![
            new.workspace,
            new.kind,
            new.by,
            Timestamp::now(),
            new.sandbox,
            new.from_release,
            new.to_release,
            new.snapshot,
        ],
    )
}

/// Takes a workspace's move back that is still under way.
pub(super) fn take_move_back(tx: &Statements, workspace: &str) -> Result<(), StoreError> {
    let sql = "UPDATE moves SET state = 'taken_back' WHERE workspace = ?1 AND state = 'begun'";
    tx.execute(sql, params![workspace])?;
    Ok(())
}

fn set_releases(tx: &Statements, all: &[PinnedReleases]) -> Result<(), StoreError> {
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for it in all {
        let first = values.len() + 1;
        let (second, third) = (first + 1, first + 2);
        rows.push(format!(
            "(?{first}, CAST(?{second} AS BIGINT), CAST(?{third} AS BIGINT))"
        ));
        values.extend_from_slice(params![it.workspace, it.live, it.dev]);
    }
    let sql = format!(
        "UPDATE workspaces SET live_release = new.column2, dev_release = new.column3
         FROM (VALUES {}) AS new WHERE name = new.column1",
        rows.join(", ")
    );
    tx.execute(&sql, &values)?;
    Ok(())
}

impl ChangeStore for Database {
    fn begin_change(&self, new: &NewChange) -> Result<i64, StoreError> {
        self.write(|tx| begin(tx, new))
    }

    fn commit_change(&self, change: &Commit) -> Result<WorkspaceRow, StoreError> {
        self.write(|tx| commit(tx, change))
    }

    fn take_change_back(&self, id: i64, held_ms: u64, detail: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "UPDATE changes SET outcome = 'taken_back', held_ms = ?2, detail = ?3
                 WHERE id = ?1 AND outcome IS NULL RETURNING workspace, kind";
            let row = |row: &Row| Ok((row.get(0)?, row.get(1)?));
            let taken_back: Option<(String, ChangeKind)> =
                tx.one(sql, params![id, held_ms, detail], row)?;
            if let Some((workspace, ChangeKind::Move)) = taken_back {
                take_move_back(tx, &workspace)?;
            }
            Ok(())
        })
    }

    fn open_changes(&self) -> Result<Vec<ChangeRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM changes WHERE outcome IS NULL ORDER BY id");
        self.all(&sql, &[], change)
    }

    fn changes(&self, workspace: &str, most: usize) -> Result<Vec<ChangeRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM changes WHERE workspace = ?1 ORDER BY id DESC LIMIT ?2");
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.all(&sql, params![workspace, most], change)
    }

    fn set_releases(&self, all: &[PinnedReleases]) -> Result<(), StoreError> {
        self.write(|tx| {
            all.chunks(AT_ONCE)
                .try_for_each(|some| set_releases(tx, some))
        })
    }

    fn set_writes(&self, workspace: &str, writes: u64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE workspaces SET writes = ?2 WHERE name = ?1",
            params![workspace, writes],
        )?;
        Ok(())
    }

    fn stopped(&self) -> Result<Vec<StoppedRow>, StoreError> {
        let sql = "SELECT sandbox, workspace, by, at FROM stopped ORDER BY workspace, sandbox";
        self.all(sql, &[], |row| {
            Ok(StoppedRow {
                sandbox: row.get(0)?,
                workspace: row.get(1)?,
                by: row.get(2)?,
                at: row.get(3)?,
            })
        })
    }

    fn set_stopped(&self, row: &StoppedRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO stopped (sandbox, workspace, by, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (workspace, sandbox) DO UPDATE SET by = excluded.by, at = excluded.at",
            params![row.sandbox, row.workspace, row.by, row.at],
        )?;
        Ok(())
    }

    fn unset_stopped(&self, workspace: &str, sandbox: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM stopped WHERE workspace = ?1 AND sandbox = ?2";
        self.execute(sql, params![workspace, sandbox])?;
        Ok(())
    }
}
