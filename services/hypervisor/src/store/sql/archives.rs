//! Removed people, and what was theirs alone.

use super::homes::new_row;
use super::members::{choose, join};
use super::users::known;
use super::workspaces::{exists, insert, named};
use super::{Database, Row, Statements, admins, params};
use crate::role::Role;
use crate::sandbox_name;
use crate::store::{
    ArchiveRow, ArchiveState, ArchiveStore, Conflict, Removal, Revival, StoreError, UserRow,
    WorkspaceRow,
};
use crate::timestamp::Timestamp;
use std::mem;

const COLUMNS: &str =
    "id, workspace, members, slot, swapped, generation, live_release, dev_release,
    at, delete_at, bytes, state, home";

fn archive(row: &Row) -> Result<ArchiveRow, StoreError> {
    let members: String = row.get(2)?;
    Ok(ArchiveRow {
        id: row.get(0)?,
        workspace: row.get(1)?,
        // What cannot be read names nobody.
        members: serde_json::from_str(&members).unwrap_or_default(),
        slot: row.get(3)?,
        swapped: row.get(4)?,
        generation: row.get(5)?,
        live_release: row.get(6)?,
        dev_release: row.get(7)?,
        at: row.get(8)?,
        delete_at: row.get(9)?,
        bytes: row.get(10)?,
        state: row.get(11)?,
        home: row.get(12)?,
    })
}

pub(super) fn insert_archive(tx: &Statements, row: &ArchiveRow) -> Result<(), StoreError> {
    let values = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13";
    tx.execute(
        &format!("INSERT INTO archives ({COLUMNS}) VALUES ({values})"),
        params![
            row.id,
            row.workspace,
            serde_json::Value::from(row.members.clone()).to_string(),
            row.slot,
            row.swapped,
            row.generation,
            row.live_release,
            row.dev_release,
            row.at,
            row.delete_at,
            row.bytes,
            row.state,
            row.home,
        ],
    )?;
    Ok(())
}

/// Changes the state of one that has another; answers with it.
fn change(
    tx: &Statements,
    id: &str,
    from: ArchiveState,
    to: ArchiveState,
) -> Result<ArchiveRow, StoreError> {
    let sql =
        format!("UPDATE archives SET state = ?3 WHERE id = ?1 AND state = ?2 RETURNING {COLUMNS}");
    let changed = tx.one(&sql, params![id, from, to], archive)?;
    Ok(changed.ok_or(Conflict::Archive)?)
}

/// When, by a clock that may be behind: never before the user was last seen.
fn at(tx: &Statements, removal: &Removal, user: &UserRow) -> Result<Timestamp, StoreError> {
    let sql = "SELECT max(last_seen_at) FROM sessions WHERE user_id = ?1";
    let seen: Option<Timestamp> = tx.value(sql, params![user.id])?;
    Ok(removal
        .at
        .max(user.created_at)
        .max(seen.unwrap_or(user.created_at)))
}

/// The workspaces that nobody else is a member of, and that go with their member.
fn left_alone(tx: &Statements, removal: &Removal) -> Result<Vec<WorkspaceRow>, StoreError> {
    let sql = "SELECT name FROM workspaces JOIN members ON members.workspace = name
         WHERE user_id = ?1 AND NOT retired AND archive IS NULL AND NOT EXISTS
         (SELECT 1 FROM members AS others WHERE others.workspace = name AND others.user_id != ?1)";
    let names: Vec<String> = tx.all(sql, params![removal.user], |row| row.get(0))?;
    let goes = names.iter().filter(|name| !removal.declared.contains(name));
    goes.map(|name| named(tx, name)).collect()
}

impl ArchiveStore for Database {
    fn remove_user(
        &self,
        removal: &Removal,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Vec<ArchiveRow>, StoreError> {
        self.write(|tx| {
            admins::require_admin(tx, removal.by)?;
            let user = known(tx, removal.user)?;
            let at = at(tx, removal, &user)?;
            let mut rows = Vec::new();
            for workspace in left_alone(tx, removal)? {
                let keep = |keep| Timestamp::from_millis(at.millis().saturating_add(keep));
                let born_dev = sandbox_name::of(&workspace.name, workspace.slot, Role::Dev);
                let row = ArchiveRow {
                    id: new_id(),
                    swapped: workspace.live == born_dev,
                    workspace: workspace.name,
                    members: vec![user.username.clone()],
                    slot: workspace.slot,
                    home: workspace.home,
                    generation: workspace.generation,
                    live_release: workspace.live_release,
                    dev_release: workspace.dev_release,
                    at,
                    delete_at: removal.keep_ms.map(keep),
                    bytes: 0,
                    state: ArchiveState::Making,
                };
                insert_archive(tx, &row)?;
                let sql = "UPDATE workspaces SET archive = ?2 WHERE name = ?1";
                tx.execute(sql, params![row.workspace, row.id])?;
                rows.push(row);
            }
            tx.execute("DELETE FROM users WHERE id = ?1", params![user.id])?;
            admins::require_any_admin(tx, &user)?;
            Ok(rows)
        })
    }

    fn archives(&self) -> Result<Vec<ArchiveRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM archives ORDER BY at, id");
        self.all(&sql, &[], archive)
    }

    fn archived(&self, id: &str, bytes: u64) -> Result<(), StoreError> {
        self.write(|tx| {
            change(tx, id, ArchiveState::Making, ArchiveState::Kept)?;
            let sql = "UPDATE archives SET bytes = ?2 WHERE id = ?1";
            tx.execute(sql, params![id, bytes])?;
            tx.execute("DELETE FROM workspaces WHERE archive = ?1", params![id])?;
            Ok(())
        })
    }

    fn restore_archive(&self, revival: &Revival) -> Result<WorkspaceRow, StoreError> {
        self.write(|tx| {
            let id = &revival.id;
            let kept = change(tx, id, ArchiveState::Kept, ArchiveState::Restoring)?;
            let mut name = None;
            for wanted in &revival.names {
                if !exists(tx, wanted)? {
                    name = Some(wanted);
                    break;
                }
            }
            let name = name.ok_or(Conflict::Workspace)?;
            let mut row = new_row(tx, name, std::slice::from_ref(&revival.room))?;
            if kept.swapped {
                mem::swap(&mut row.live, &mut row.dev);
            }
            // What a browser keeps of before is of another generation.
            row.generation = kept.generation + 1;
            (row.live_release, row.dev_release) = (kept.live_release, kept.dev_release);
            row.archive = Some(id.clone());
            insert(tx, &row)?;
            join(tx, name, revival.user)?;
            let sql = "SELECT workspace IS NULL FROM users WHERE id = ?1";
            if tx.value(sql, params![revival.user])? {
                choose(tx, revival.user, name)?;
            }
            named(tx, name)
        })
    }

    fn restored(&self, id: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            change(tx, id, ArchiveState::Restoring, ArchiveState::Deleting)?;
            let sql = "UPDATE workspaces SET archive = NULL WHERE archive = ?1";
            tx.execute(sql, params![id])?;
            Ok(())
        })
    }

    fn not_restored(&self, id: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            change(tx, id, ArchiveState::Restoring, ArchiveState::Kept)?;
            tx.execute("DELETE FROM workspaces WHERE archive = ?1", params![id])?;
            Ok(())
        })
    }

    fn delete_archive(&self, id: &str) -> Result<ArchiveRow, StoreError> {
        self.write(|tx| change(tx, id, ArchiveState::Kept, ArchiveState::Deleting))
    }

    fn archive_deleted(&self, id: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM archives WHERE id = ?1 AND state = 'deleting'";
        self.execute(sql, params![id]).map(|_| ())
    }
}
