//! Grants.

use super::{Database, params};
use crate::store::{Conflict, GrantRow, GrantStore, Hash, StoreError};

impl GrantStore for Database {
    fn add_grant(&self, grant: &GrantRow, most: u32) -> Result<Vec<Hash>, StoreError> {
        self.write(|tx| {
            let added = tx.execute(
                "INSERT INTO grants (token, session_id, host, created_at)
                 SELECT ?1, id, ?3, ?4 FROM sessions WHERE id = ?2",
                params![grant.token, grant.session_id, grant.host, grant.created_at],
            )?;
            if added != 1 {
                return Err(Conflict::Session.into());
            }
            let sql = "DELETE FROM grants WHERE session_id = ?1 AND host = ?2 AND token NOT IN
                 (SELECT token FROM grants WHERE session_id = ?1 AND host = ?2
                  ORDER BY rowid DESC LIMIT ?3) RETURNING token";
            let params = params![grant.session_id, grant.host, most];
            tx.all(sql, params, |row| row.get(0))
        })
    }

    fn grant_by_token(&self, token: &Hash) -> Result<Option<(String, Hash)>, StoreError> {
        let sql = "SELECT host, sessions.token FROM grants
                   JOIN sessions ON sessions.id = session_id WHERE grants.token = ?1";
        self.one(sql, params![token], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
