//! The audit log.

use super::{Database, Row, Statements, params};
use crate::store::{AuditEntry, AuditRow, AuditStore, StoreError};
use crate::timestamp::Timestamp;
use uuid::Uuid;

const COLUMNS: &str = "id, at, event, user_id, address, detail, passkey, actor";

fn entry(row: &Row) -> Result<AuditEntry, StoreError> {
    let user_id = row.get(3)?;
    Ok(AuditEntry {
        id: row.get(0)?,
        user_id,
        row: AuditRow {
            at: row.get(1)?,
            event: row.get(2)?,
            user_id,
            address: row.get(4)?,
            detail: row.get(5)?,
            passkey: row.get(6)?,
            actor: row.get(7)?,
        },
    })
}

pub(super) fn insert(tx: &Statements, row: &AuditRow) -> Result<(), StoreError> {
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

impl AuditStore for Database {
    fn record(&self, row: &AuditRow) -> Result<(), StoreError> {
        self.write(|tx| insert(tx, row))
    }

    fn audit_before(
        &self,
        before: i64,
        user: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let of_user = user.map_or("", |_| "AND user_id = ?3");
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE id < ?1 {of_user} ORDER BY id DESC LIMIT ?2"
        );
        match user {
            None => self.all(&sql, params![before, limit], entry),
            Some(user) => self.all(&sql, params![before, limit, user], entry),
        }
    }

    fn audit_after(
        &self,
        after: i64,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM audit WHERE id > ?1 AND at >= ?2 ORDER BY id LIMIT ?3");
        self.all(&sql, params![after, since, limit], entry)
    }

    fn purge_audit(&self, time: Timestamp) -> Result<(), StoreError> {
        self.purge(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 LIMIT ?2)",
            time,
        )
    }
}
