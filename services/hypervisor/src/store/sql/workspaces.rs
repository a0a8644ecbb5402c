//! Workspaces.

use super::statements::duplicate;
use super::{Database, Row, Statements, params};
use super::{audit, history, members, probations};
use crate::access::Access;
use crate::role::Role;
use crate::store::{Conflict, Settlement, StoreError, Watch, WorkspaceRow, WorkspaceStore};
use crate::timestamp::Timestamp;
use uuid::Uuid;

const COLUMNS: &str = "name, generation, live, dev, retired, access_live, access_dev,
    live_release, dev_release, writes, writes_shared, slot, archive, owned, home, epoch";
const WIDTH: usize = 16;

/// A workspace, still without its members.
fn workspace(row: &Row) -> Result<WorkspaceRow, StoreError> {
    Ok(WorkspaceRow {
        name: row.get(0)?,
        generation: row.get(1)?,
        live: row.get(2)?,
        dev: row.get(3)?,
        retired: row.get(4)?,
        access_live: row.get(5)?,
        access_dev: row.get(6)?,
        live_release: row.get(7)?,
        dev_release: row.get(8)?,
        writes: row.get(9)?,
        writes_shared: row.get(10)?,
        slot: row.get(11)?,
        archive: row.get(12)?,
        owned: row.get(13)?,
        home: row.get(14)?,
        epoch: row.get(15)?,
        members: Vec::new(),
    })
}

/// A workspace that is there.
pub(super) fn named(tx: &Statements, name: &str) -> Result<WorkspaceRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM workspaces WHERE name = ?1");
    let found = tx.one(&sql, params![name], workspace)?;
    let mut row = found.ok_or(Conflict::NoWorkspace)?;
    row.members = members::of(tx, name)?;
    Ok(row)
}

/// Whether there is one of this name.
pub(super) fn exists(tx: &Statements, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM workspaces WHERE name = ?1)";
    tx.value(sql, params![name])
}

/// Keeps a new one, without its members.
pub(super) fn insert(tx: &Statements, row: &WorkspaceRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO workspaces (name, generation, live, dev, retired, access_live, access_dev,
         live_release, dev_release, slot, archive, home, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            row.name,
            row.generation,
            row.live,
            row.dev,
            row.retired,
            row.access_live,
            row.access_dev,
            row.live_release,
            row.dev_release,
            row.slot,
            row.archive,
            row.home,
            row.epoch,
        ],
    )
    .map_err(duplicate(Conflict::Workspace))?;
    Ok(())
}

fn create(tx: &Statements, rows: &[WorkspaceRow]) -> Result<(), StoreError> {
    for row in rows {
        insert(tx, row)?;
        for member in &row.members {
            members::join(tx, &row.name, *member)?;
        }
    }
    Ok(())
}

impl WorkspaceStore for Database {
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, user_id FROM workspaces
             LEFT JOIN members ON members.workspace = workspaces.name
             ORDER BY name, members.rowid",
        );
        let mut found: Vec<WorkspaceRow> = Vec::new();
        self.all(&sql, &[], |row| {
            let next = workspace(row)?;
            if found.last().is_none_or(|last| last.name != next.name) {
                found.push(next);
            }
            if let Some(last) = found.last_mut() {
                last.members.extend(row.get::<Option<Uuid>>(WIDTH)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn workspace(&self, name: &str) -> Result<Option<WorkspaceRow>, StoreError> {
        self.read(|db| match named(db, name) {
            Err(StoreError::Conflict(Conflict::NoWorkspace)) => Ok(None),
            found => found.map(Some),
        })
    }

    fn create_workspaces(&self, rows: &[WorkspaceRow]) -> Result<(), StoreError> {
        self.write(|tx| create(tx, rows))
    }

    fn taken_out(&self) -> Result<Vec<Uuid>, StoreError> {
        self.all("SELECT user_id FROM taken_out", &[], |row| row.get(0))
    }

    fn settle(&self, change: &Settlement) -> Result<(), StoreError> {
        self.write(|tx| {
            create(tx, &change.create)?;
            for (name, retired) in &change.retire {
                let sql = "UPDATE workspaces SET retired = ?2 WHERE name = ?1";
                if tx.execute(sql, params![name, retired])? != 1 {
                    return Err(Conflict::Workspace.into());
                }
            }
            let moves = &change.moves;
            moves.iter().try_for_each(|it| members::transfer(tx, it))?;
            change.audit.iter().try_for_each(|it| audit::insert(tx, it))
        })
    }

    fn set_access(&self, name: &str, role: Role, access: Access) -> Result<(), StoreError> {
        let sql = match role {
            Role::Live => "UPDATE workspaces SET access_live = ?2 WHERE name = ?1",
            Role::Dev => "UPDATE workspaces SET access_dev = ?2 WHERE name = ?1",
        };
        match self.execute(sql, params![name, access])? {
            1 => Ok(()),
            _ => Err(Conflict::NoWorkspace.into()),
        }
    }

    fn swap(
        &self,
        name: &str,
        expect_generation: u64,
        by: &str,
        watch: &Watch,
    ) -> Result<WorkspaceRow, StoreError> {
        self.write(|tx| {
            let sql = format!(
                "UPDATE workspaces SET live = dev, dev = live, generation = generation + 1,
                 live_release = dev_release, dev_release = live_release, writes_shared = writes
                 WHERE name = ?1 AND generation = ?2 RETURNING {COLUMNS}"
            );
            let swapped = tx.one(&sql, params![name, expect_generation], workspace)?;
            let mut row = swapped.ok_or(Conflict::Generation)?;
            row.members = members::of(tx, name)?;
            history::swapped(tx, &row, by, Timestamp::now())?;
            probations::changed(tx, &row, watch)?;
            Ok(row)
        })
    }
}
