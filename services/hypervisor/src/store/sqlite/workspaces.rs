//! Workspaces.

use super::Sqlite;
use super::columns::duplicate;
use super::{audit, history, members, probations};
use crate::access::Access;
use crate::role::Role;
use crate::store::{Conflict, Settlement, StoreError, Watch, WorkspaceRow, WorkspaceStore};
use crate::timestamp::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

const COLUMNS: &str = "name, generation, live, dev, retired, access_live, access_dev,
    live_release, dev_release, writes, writes_shared, slot, archive, owned";
const WIDTH: usize = 14;

/// A workspace, still without its members.
fn workspace(row: &Row) -> rusqlite::Result<WorkspaceRow> {
    Ok(WorkspaceRow {
        name: row.get(0)?,
        generation: row.get::<_, i64>(1)?.cast_unsigned(),
        live: row.get(2)?,
        dev: row.get(3)?,
        retired: row.get(4)?,
        access_live: row.get(5)?,
        access_dev: row.get(6)?,
        live_release: row.get::<_, i64>(7)?.cast_unsigned(),
        dev_release: row.get::<_, i64>(8)?.cast_unsigned(),
        writes: row.get::<_, i64>(9)?.cast_unsigned(),
        writes_shared: row.get::<_, i64>(10)?.cast_unsigned(),
        slot: row.get(11)?,
        archive: row.get(12)?,
        owned: row.get(13)?,
        members: Vec::new(),
    })
}

/// A workspace that is there.
pub(super) fn named(tx: &Transaction, name: &str) -> Result<WorkspaceRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM workspaces WHERE name = ?1");
    let mut row = tx.query_row(&sql, [name], workspace)?;
    row.members = members::of(tx, name)?;
    Ok(row)
}

/// Whether there is one of this name.
pub(super) fn exists(tx: &Transaction, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM workspaces WHERE name = ?1)";
    Ok(tx.query_row(sql, [name], |row| row.get(0))?)
}

/// Keeps a new one, without its members.
pub(super) fn insert(tx: &Transaction, row: &WorkspaceRow) -> Result<(), StoreError> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO workspaces (name, generation, live, dev, retired, access_live, access_dev,
         live_release, dev_release, slot, archive)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert
        .execute(params![
            row.name,
            row.generation.cast_signed(),
            row.live,
            row.dev,
            row.retired,
            row.access_live,
            row.access_dev,
            row.live_release.cast_signed(),
            row.dev_release.cast_signed(),
            row.slot,
            row.archive,
        ])
        .map_err(duplicate(Conflict::Workspace))?;
    Ok(())
}

fn create(tx: &Transaction, rows: &[WorkspaceRow]) -> Result<(), StoreError> {
    for row in rows {
        insert(tx, row)?;
        for member in &row.members {
            members::join(tx, &row.name, *member)?;
        }
    }
    Ok(())
}

impl WorkspaceStore for Sqlite {
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS}, user_id FROM workspaces
                 LEFT JOIN members ON members.workspace = workspaces.name
                 ORDER BY name, members.rowid",
            ))?;
            let mut rows = statement.query([])?;
            let mut found: Vec<WorkspaceRow> = Vec::new();
            while let Some(row) = rows.next()? {
                let next = workspace(row)?;
                if found.last().is_none_or(|last| last.name != next.name) {
                    found.push(next);
                }
                if let Some(last) = found.last_mut() {
                    last.members.extend(row.get::<_, Option<Uuid>>(WIDTH)?);
                }
            }
            Ok(found)
        })
    }

    fn create_workspaces(&self, rows: &[WorkspaceRow]) -> Result<(), StoreError> {
        self.write(|tx| create(tx, rows))
    }

    fn taken_out(&self) -> Result<Vec<Uuid>, StoreError> {
        self.all("SELECT user_id FROM taken_out", [], |row| row.get(0))
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
            let swapped = tx.query_row(
                &sql,
                params![name, expect_generation.cast_signed()],
                workspace,
            );
            let mut row = swapped.optional()?.ok_or(Conflict::Generation)?;
            row.members = members::of(tx, name)?;
            history::swapped(tx, &row, by, Timestamp::now())?;
            probations::changed(tx, &row, watch)?;
            Ok(row)
        })
    }
}
