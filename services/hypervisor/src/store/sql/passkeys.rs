//! Passkeys.

use super::statements::duplicate;
use super::{Database, Row, Statements, notices, params, sessions, users};
use crate::store::{
    Conflict, NewNotice, PasskeyRow, PasskeyStore, PasskeyUse, SessionRow, StoreError, UserRow,
};
use uuid::Uuid;

const COLUMNS: &str = "passkeys.id, passkeys.user_id, passkeys.credential_id,
    passkeys.credential, passkeys.counter, passkeys.name, passkeys.created_at,
    passkeys.last_used_at";
const WIDTH: usize = 8;

fn passkey(row: &Row) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: row.get(0)?,
        user_id: row.get(1)?,
        credential_id: row.get(2)?,
        credential: row.get(3)?,
        counter: row.get(4)?,
        name: row.get(5)?,
        created_at: row.get(6)?,
        last_used_at: row.get(7)?,
    })
}

pub(super) fn insert(tx: &Statements, passkey: &PasskeyRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO passkeys
         (id, user_id, credential_id, credential, counter, name, created_at, last_used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            passkey.id,
            passkey.user_id,
            passkey.credential_id,
            passkey.credential,
            passkey.counter,
            passkey.name,
            passkey.created_at,
            passkey.last_used_at,
        ],
    )
    .map_err(duplicate(Conflict::Passkey))?;
    Ok(())
}

fn note_use(tx: &Statements, used: &PasskeyUse) -> Result<(), StoreError> {
    // Authenticators that do not count stay at 0; of the others, those that are no copies must have
    // counted up.
    let noted = tx.execute(
        "UPDATE passkeys SET credential = ?2, counter = ?3, last_used_at = ?4
         WHERE id = ?1 AND (NOT ?5 OR counter < ?3 OR (counter = 0 AND ?3 = 0))",
        params![used.id, used.credential, used.counter, used.at, used.counts],
    )?;
    if noted != 1 {
        return Err(Conflict::Counter.into());
    }
    Ok(())
}

impl PasskeyStore for Database {
    fn passkeys_of(&self, user: Uuid) -> Result<Vec<PasskeyRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM passkeys WHERE user_id = ?1 ORDER BY created_at, id");
        self.all(&sql, params![user], passkey)
    }

    fn passkey_by_credential(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<(PasskeyRow, UserRow)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM passkeys JOIN users ON users.id = passkeys.user_id
             WHERE credential_id = ?1",
            users::COLUMNS
        );
        self.one(&sql, params![credential_id], |row| {
            Ok((passkey(row)?, users::user(row, WIDTH)?))
        })
    }

    fn add_passkey(
        &self,
        passkey: &PasskeyRow,
        session: Uuid,
        ends: bool,
        notice: &NewNotice,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            sessions::require(tx, session)?;
            insert(tx, passkey)?;
            notices::insert(tx, passkey.user_id, notice)?;
            notices::see_all(tx, passkey.id)?;
            if ends {
                sessions::delete(tx, session)?;
            }
            Ok(())
        })
    }

    fn rename_passkey(&self, user: Uuid, passkey: Uuid, name: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE passkeys SET name = ?3 WHERE id = ?2 AND user_id = ?1";
        Ok(self.execute(sql, params![user, passkey, name])? == 1)
    }

    fn remove_passkey(
        &self,
        user: Uuid,
        passkey: Uuid,
        keep: Uuid,
        notice: &NewNotice,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            tx.execute(
                "DELETE FROM sessions WHERE passkey_id = ?1 AND user_id = ?2 AND id <> ?3",
                params![passkey, user, keep],
            )?;
            let removed = tx.execute(
                "DELETE FROM passkeys WHERE id = ?1 AND user_id = ?2",
                params![passkey, user],
            )?;
            let left: u64 = tx.value(
                "SELECT count(*) FROM passkeys WHERE user_id = ?1",
                params![user],
            )?;
            if removed == 1 && left == 0 {
                return Err(Conflict::LastPasskey.into());
            }
            if removed == 1 {
                notices::insert(tx, user, notice)?;
            }
            Ok(removed == 1)
        })
    }

    fn use_passkey(&self, used: &PasskeyUse) -> Result<(), StoreError> {
        self.write(|tx| note_use(tx, used))
    }

    fn log_in(
        &self,
        used: &PasskeyUse,
        session: &SessionRow,
        replaces: Option<Uuid>,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            note_use(tx, used)?;
            sessions::replace(tx, session, replaces)
        })
    }
}
