//! Tokens.

use super::{Database, MOST_AT_ONCE, Row, params, users};
use crate::store::{Conflict, Hash, StoreError, TokenRow, TokenStore, UserRow};
use crate::timestamp::Timestamp;
use uuid::Uuid;

const COLUMNS: &str = "tokens.id, tokens.token, tokens.user_id, tokens.name, tokens.scopes,
    tokens.workspace, tokens.created_at, tokens.expires_at, tokens.last_used_at";
const WIDTH: usize = 9;

fn token(row: &Row) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: row.get(0)?,
        token: row.get(1)?,
        user_id: row.get(2)?,
        name: row.get(3)?,
        scopes: row.get(4)?,
        workspace: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        last_used_at: row.get(8)?,
    })
}

impl TokenStore for Database {
    fn add_token(&self, token: &TokenRow, most: u64) -> Result<(), StoreError> {
        self.write(|tx| {
            let good: u64 = tx.value(
                "SELECT count(*) FROM tokens WHERE user_id = ?1 AND expires_at > ?2",
                params![token.user_id, token.created_at],
            )?;
            if good >= most {
                return Err(Conflict::Tokens.into());
            }
            let added = tx.execute(
                "INSERT INTO tokens (id, token, user_id, name, scopes, workspace, created_at,
                 expires_at, last_used_at)
                 SELECT ?1, ?2, id, ?4, ?5, ?6, ?7, ?8, ?9 FROM users
                 WHERE id = ?3 AND disabled_at IS NULL",
                params![
                    token.id,
                    token.token,
                    token.user_id,
                    token.name,
                    token.scopes,
                    token.workspace,
                    token.created_at,
                    token.expires_at,
                    token.last_used_at,
                ],
            )?;
            if added == 1 {
                Ok(())
            } else {
                Err(Conflict::NoUser.into())
            }
        })
    }

    fn tokens_of(&self, user: Uuid, now: Timestamp) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tokens WHERE user_id = ?1 AND expires_at > ?2
             ORDER BY created_at DESC, id"
        );
        self.all(&sql, params![user, now], token)
    }

    fn token_by_hash(
        &self,
        hash: &Hash,
        now: Timestamp,
    ) -> Result<Option<(TokenRow, UserRow)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM tokens JOIN users ON users.id = tokens.user_id
             WHERE token = ?1 AND expires_at > ?2 AND users.disabled_at IS NULL",
            users::COLUMNS
        );
        self.one(&sql, params![hash, now], |row| {
            Ok((token(row)?, users::user(row, WIDTH)?))
        })
    }

    fn token_by_id(&self, id: Uuid) -> Result<Option<TokenRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1");
        self.one(&sql, params![id], token)
    }

    fn remove_token(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM tokens WHERE id = ?1", params![id])? == 1)
    }

    fn purge_tokens(
        &self,
        used: &[(Uuid, Timestamp)],
        now: Timestamp,
        past: Timestamp,
    ) -> Result<(), StoreError> {
        for part in used.chunks(MOST_AT_ONCE) {
            self.write(|tx| {
                // What a clock that was ahead has noted is none that it could not go behind.
                let note =
                    "UPDATE tokens SET last_used_at = greatest(least(coalesce(last_used_at, 0), ?3), ?2)
                     WHERE id = ?1";
                for (token, at) in part {
                    tx.execute(note, params![token, at, now])?;
                }
                Ok(())
            })?;
        }
        self.purge(
            "DELETE FROM tokens WHERE id IN
                 (SELECT id FROM tokens WHERE expires_at <= ?1 LIMIT ?2)",
            past,
        )
    }
}
