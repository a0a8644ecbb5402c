//! What people are told of changes to who gets into their account.

use super::{Database, Statements, params};
use crate::store::{NewNotice, NoticeRow, NoticeStore, StoreError};
use std::time::Duration;
use uuid::Uuid;

/// So many of one user are kept.
const KEPT: u32 = 100;

pub(super) fn insert(tx: &Statements, user: Uuid, notice: &NewNotice) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO notices (user_id, passkey_id, at, event, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![user, notice.by, notice.at, notice.event, notice.detail],
    )?;
    tx.execute(
        "DELETE FROM notices WHERE user_id = ?1 AND id NOT IN
         (SELECT id FROM notices WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
        params![user, KEPT],
    )?;
    Ok(())
}

/// Whoever has this new passkey need not be told of what was before.
pub(super) fn see_all(tx: &Statements, passkey: Uuid) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE passkeys SET notices_seen = (SELECT coalesce(max(id), 0) FROM notices) WHERE id = ?1",
        params![passkey],
    )?;
    Ok(())
}

impl NoticeStore for Database {
    fn tell_admins(&self, notice: &NewNotice) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "SELECT id FROM users WHERE admin AND NOT EXISTS (SELECT 1 FROM notices
                 WHERE user_id = users.id AND event = ?1 AND at > ?2)";
            let since = notice.at.before(Duration::from_hours(24));
            let admins: Vec<Uuid> = tx.all(sql, params![notice.event, since], |row| row.get(0))?;
            admins.into_iter().try_for_each(|id| insert(tx, id, notice))
        })
    }

    fn notices_for(&self, passkey: Uuid) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = "SELECT notices.id, notices.at, notices.event, notices.detail
                   FROM passkeys JOIN notices ON notices.user_id = passkeys.user_id
                   WHERE passkeys.id = ?1 AND notices.id > passkeys.notices_seen
                   AND notices.passkey_id IS DISTINCT FROM ?1 ORDER BY notices.id";
        self.all(sql, params![passkey], |row| {
            Ok(NoticeRow {
                id: row.get(0)?,
                at: row.get(1)?,
                event: row.get(2)?,
                detail: row.get(3)?,
            })
        })
    }

    fn see_notices(&self, passkey: Uuid, last: i64) -> Result<(), StoreError> {
        let sql = "UPDATE passkeys SET notices_seen = greatest(notices_seen, least(?2,
                   (SELECT coalesce(max(id), 0) FROM notices))) WHERE id = ?1";
        self.execute(sql, params![passkey, last])?;
        Ok(())
    }
}
