//! People, as admins and the operator see them and change them.

use super::admins::{require_admin, require_any_admin};
use super::statements::duplicate;
use super::users::{COLUMNS, WIDTH, known, user};
use super::{Database, Row, Statements, audit, invites, params};
use crate::store::{Account, AuditRow, Conflict, PeopleStore, StoreError, UserChange, UserRow};
use crate::timestamp::Timestamp;
use uuid::Uuid;

fn apply(
    tx: &Statements,
    user: &UserRow,
    change: &UserChange,
    at: Timestamp,
) -> Result<(), StoreError> {
    let id = user.id;
    let changed = match change {
        UserChange::Disable => {
            end_sessions(tx, id)?;
            invites::revoke_all_of(tx, id, at)?;
            let sql = "UPDATE users SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1";
            tx.execute(sql, params![id, at])
        }
        UserChange::Enable => tx.execute("UPDATE users SET disabled_at = NULL WHERE id = ?1", params![id]),
        // Who gave themselves no other name is called by the new one.
        UserChange::Rename(username) => tx.execute(
            "UPDATE users SET username = ?2,
             display_name = CASE WHEN display_name = username THEN ?2 ELSE display_name END WHERE id = ?1",
            params![id, username],
        ),
        UserChange::SetAdmin(admin) => {
            if !admin {
                invites::revoke_all_of(tx, id, at)?;
            }
            let sql = "UPDATE users SET admin = ?2 WHERE id = ?1";
            tx.execute(sql, params![id, admin])
        }
        UserChange::EndSessions => {
            end_sessions(tx, id)?;
            Ok(1)
        }
    };
    changed.map_err(duplicate(Conflict::Username))?;
    Ok(())
}

fn end_sessions(tx: &Statements, user: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE user_id = ?1", params![user])?;
    Ok(())
}

fn account(row: &Row) -> Result<Account, StoreError> {
    let count = |column: usize| row.get(WIDTH + column);
    let workspaces: Option<String> = row.get(WIDTH + 4)?;
    let workspaces = workspaces.unwrap_or_default();
    Ok(Account {
        user: user(row, 0)?,
        passkeys: count(0)?,
        sessions: count(1)?,
        recovery_codes_left: count(2)?,
        last_seen_at: row.get(WIDTH + 3)?,
        workspaces: workspaces.split_whitespace().map(str::to_owned).collect(),
    })
}

impl PeopleStore for Database {
    fn people(&self, search: &str, now: Timestamp) -> Result<Vec<Account>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS},
             (SELECT count(*) FROM passkeys WHERE user_id = users.id),
             (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > ?1),
             (SELECT count(*) FROM recovery_codes WHERE user_id = users.id
              AND used_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)),
             (SELECT max(seen.at) FROM
              (SELECT max(last_seen_at) AS at FROM sessions WHERE user_id = users.id
               UNION ALL SELECT max(last_used_at) FROM passkeys WHERE user_id = users.id) AS seen),
             (SELECT string_agg(workspace, ' ') FROM
              (SELECT workspace FROM members WHERE user_id = users.id ORDER BY rowid) AS joined)
             FROM users ORDER BY created_at, username"
        );
        // SQLite's lower() knows ASCII alone.
        let search = search.trim().to_lowercase();
        let fits = |user: &UserRow| {
            let has = |name: &str| name.to_lowercase().contains(&search);
            has(&user.username) || has(&user.display_name)
        };
        let mut all = self.all(&sql, params![now], account)?;
        all.retain(|account| fits(&account.user));
        Ok(all)
    }

    fn change_user(
        &self,
        by: Option<Uuid>,
        id: Uuid,
        change: &UserChange,
        row: &AuditRow,
    ) -> Result<UserRow, StoreError> {
        self.write(|tx| {
            require_admin(tx, by)?;
            let before = known(tx, id)?;
            apply(tx, &before, change, row.at)?;
            require_any_admin(tx, &before)?;
            audit::insert(tx, row)?;
            Ok(before)
        })
    }
}
