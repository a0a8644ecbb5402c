//! Workspaces that change their home.

use super::archives::insert_archive;
use super::homes::free_slot;
use super::{Database, Row, Statements, changes, params, probations, workspaces};
use crate::role::Role;
use crate::sandbox_name;
use crate::store::{
    ArchiveRow, CommitMove, Conflict, MoveRow, MoveState, MoveStore, NewMove, Room, StoreError,
    Watch, WorkspaceRow,
};

const COLUMNS: &str = "workspace, id, source, source_slot, swapped, target, target_slot, state";

fn row(row: &Row) -> Result<MoveRow, StoreError> {
    Ok(MoveRow {
        workspace: row.get(0)?,
        id: row.get(1)?,
        source: row.get(2)?,
        source_slot: row.get(3)?,
        swapped: row.get(4)?,
        target: row.get(5)?,
        target_slot: row.get(6)?,
        state: row.get(7)?,
    })
}

fn of(tx: &Statements, workspace: &str) -> Result<Option<MoveRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM moves WHERE workspace = ?1");
    tx.one(&sql, params![workspace], row)
}

fn begin(tx: &Statements, new: &NewMove) -> Result<(i64, MoveRow), StoreError> {
    let name = &new.change.workspace;
    let now = workspaces::named(tx, name)?;
    let is_as_known = now.home == new.source && now.epoch == new.epoch;
    if !is_as_known || now.archive.is_some() || now.retired || of(tx, name)?.is_some() {
        return Err(Conflict::Move.into());
    }
    let Room { machine, slots } = &new.room;
    let target_slot = match slots {
        None => None,
        Some(slots) => Some(free_slot(tx, machine, *slots)?.ok_or(Conflict::NoSlot)?),
    };
    let row = MoveRow {
        workspace: name.clone(),
        id: new.id.clone(),
        source: now.home,
        source_slot: now.slot,
        swapped: now.live == sandbox_name::of(name, now.slot, Role::Dev),
        target: machine.clone(),
        target_slot,
        state: MoveState::Begun,
    };
    let sql = format!("INSERT INTO moves ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    tx.execute(
        &sql,
        params![
            row.workspace,
            row.id,
            row.source,
            row.source_slot,
            row.swapped,
            row.target,
            row.target_slot,
            row.state,
        ],
    )?;
    Ok((changes::begin(tx, &new.change)?, row))
}

fn commit(tx: &Statements, commit: &CommitMove) -> Result<WorkspaceRow, StoreError> {
    let name = &commit.workspace;
    let going = of(tx, name)?.filter(|it| it.state == MoveState::Begun);
    let going = going.ok_or(Conflict::Generation)?;
    let before = workspaces::named(tx, name)?;
    let in_slot = |sandbox: &str| {
        let (from, to) = (going.source_slot, going.target_slot);
        sandbox_name::in_slot(sandbox, name, from, to).ok_or(Conflict::Generation)
    };
    let (live, dev) = (in_slot(&before.live)?, in_slot(&before.dev)?);
    let changed = tx.execute(
        "UPDATE workspaces SET home = ?4, slot = ?5, live = ?6, dev = ?7, live_release = ?8,
         dev_release = ?9, writes = ?10, generation = generation + 1, epoch = epoch + 1
         WHERE name = ?1 AND generation = ?2 AND epoch = ?3 AND archive IS NULL",
        params![
            name,
            commit.expect_generation,
            commit.expect_epoch,
            going.target,
            going.target_slot,
            live,
            dev,
            commit.live_release,
            commit.dev_release,
            commit.writes,
        ],
    )?;
    if changed != 1 {
        return Err(Conflict::Generation.into());
    }
    for (old, new) in [(&before.live, &live), (&before.dev, &dev)] {
        let sql = "UPDATE stopped SET sandbox = ?3 WHERE workspace = ?1 AND sandbox = ?2";
        tx.execute(sql, params![name, old, new])?;
    }
    tx.execute(
        "UPDATE changes SET outcome = 'done', sandbox = ?2, to_release = ?3, generation = ?4,
         held_ms = ?5, writes = ?6, detail = ?7 WHERE id = ?1",
        params![
            commit.change,
            live,
            commit.live_release,
            commit.expect_generation + 1,
            commit.held_ms,
            commit.writes,
            format!("from {} to {}", going.source, going.target),
        ],
    )?;
    let sql = "UPDATE moves SET state = 'done' WHERE workspace = ?1";
    tx.execute(sql, params![name])?;
    let now = workspaces::named(tx, name)?;
    probations::changed(tx, &now, &Watch::None)?;
    Ok(now)
}

/// One that is just this.
fn end(tx: &Statements, of: &MoveRow) -> Result<bool, StoreError> {
    let sql = "DELETE FROM moves WHERE workspace = ?1 AND id = ?2 AND state = ?3";
    Ok(tx.execute(sql, params![of.workspace, of.id, of.state])? == 1)
}

impl MoveStore for Database {
    fn begin_move(&self, new: &NewMove) -> Result<(i64, MoveRow), StoreError> {
        self.write(|tx| begin(tx, new))
    }

    fn commit_move(&self, it: &CommitMove) -> Result<WorkspaceRow, StoreError> {
        self.write(|tx| commit(tx, it))
    }

    fn moves(&self) -> Result<Vec<MoveRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM moves ORDER BY workspace");
        self.all(&sql, &[], row)
    }

    fn move_of(&self, workspace: &str) -> Result<Option<MoveRow>, StoreError> {
        self.read(|db| of(db, workspace))
    }

    fn take_move_back(&self, workspace: &str) -> Result<(), StoreError> {
        self.write(|tx| changes::take_move_back(tx, workspace))
    }

    fn source_cleared(&self, of: &MoveRow, archive: &ArchiveRow) -> Result<(), StoreError> {
        self.write(|tx| {
            if end(tx, of)? {
                insert_archive(tx, archive)?;
            }
            Ok(())
        })
    }

    fn target_cleared(&self, of: &MoveRow) -> Result<(), StoreError> {
        self.write(|tx| end(tx, of).map(|_| ()))
    }
}
