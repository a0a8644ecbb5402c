//! The audit log.

use super::Sqlite;
use crate::store::{AuditEntry, AuditRow, AuditStore, StoreError};
use crate::timestamp::Timestamp;
use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

pub(super) const COLUMNS: &str = "at, event, user_id, address, detail, passkey, actor";
const WIDTH: usize = 7;

fn event(row: &Row) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        at: row.get(0)?,
        event: row.get(1)?,
        user_id: row.get(2)?,
        address: row.get(3)?,
        detail: row.get(4)?,
        passkey: row.get(5)?,
        actor: row.get(6)?,
    })
}

/// An event whose id comes after the other columns.
pub(super) fn entry(row: &Row) -> rusqlite::Result<AuditEntry> {
    let event = event(row)?;
    Ok(AuditEntry {
        id: row.get(WIDTH)?,
        user_id: event.user_id,
        row: event,
    })
}

pub(super) fn insert(tx: &Transaction, row: &AuditRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO audit (at, event, user_id, address, detail, passkey, actor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            row.at,
            row.event,
            row.user_id,
            row.address,
            row.detail,
            row.passkey,
            row.actor
        ],
    )?;
    Ok(())
}

impl AuditStore for Sqlite {
    fn record(&self, row: &AuditRow) -> Result<(), StoreError> {
        self.write(|tx| insert(tx, row))
    }

    fn audit_of(&self, user: Uuid, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM audit WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2");
        self.all(&sql, params![user, limit], event)
    }

    fn purge_audit(&self, time: Timestamp) -> Result<(), StoreError> {
        self.write_in_parts(|tx, most| {
            tx.execute(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)",
                params![time, most],
            )
        })
    }
}
