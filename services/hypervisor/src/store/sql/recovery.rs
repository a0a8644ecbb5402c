//! Recovery codes.

use super::{Database, Statements, admins, notices, params, sessions};
use crate::store::{Hash, NewNotice, RecoveryStore, SessionRow, StoreError};
use crate::timestamp::Timestamp;
use uuid::Uuid;

pub(super) fn insert(
    tx: &Statements,
    user: Uuid,
    codes: &[Hash],
    now: Timestamp,
) -> Result<(), StoreError> {
    for code in codes {
        add(tx, user, code, now, None)?;
    }
    Ok(())
}

fn add(
    tx: &Statements,
    user: Uuid,
    code: &Hash,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO recovery_codes (user_id, hash, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4)",
        params![user, code, now, expires_at],
    )?;
    Ok(())
}

impl RecoveryStore for Database {
    fn recovery_codes_left(&self, user: Uuid, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL
                   AND (expires_at IS NULL OR expires_at > ?2)";
        self.count(sql, params![user, now])
    }

    fn replace_recovery_codes(
        &self,
        user: Uuid,
        codes: &[Hash],
        notice: &NewNotice,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM recovery_codes WHERE user_id = ?1",
                params![user],
            )?;
            insert(tx, user, codes, notice.at)?;
            notices::insert(tx, user, notice)
        })
    }

    fn add_recovery_code(
        &self,
        by: Option<Uuid>,
        user: Uuid,
        code: &Hash,
        expires_at: Timestamp,
        notice: &NewNotice,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            admins::require_admin(tx, by)?;
            sessions::require_able(tx, user)?;
            add(tx, user, code, notice.at, Some(expires_at))?;
            notices::insert(tx, user, notice)
        })
    }

    fn use_recovery_code(
        &self,
        code: &Hash,
        session: &SessionRow,
        replaces: Option<Uuid>,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            let used = tx.execute(
                "UPDATE recovery_codes SET used_at = ?3
                 WHERE user_id = ?1 AND hash = ?2 AND used_at IS NULL
                 AND (expires_at IS NULL OR expires_at > ?3)",
                params![session.user_id, code, session.created_at],
            )?;
            if used == 1 {
                sessions::replace(tx, session, replaces)?;
            }
            Ok(used == 1)
        })
    }
}
