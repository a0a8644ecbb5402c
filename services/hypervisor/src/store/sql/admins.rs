//! What holds of admins, whatever is done in the same transaction.

use super::{Statements, params};
use crate::store::{Conflict, StoreError, UserRow};
use uuid::Uuid;

/// Refuses what an admin wants done who is none any longer; the operator has no account.
pub(super) fn require_admin(tx: &Statements, by: Option<Uuid>) -> Result<(), StoreError> {
    let Some(by) = by else {
        return Ok(());
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM users
               WHERE id = ?1 AND admin AND disabled_at IS NULL)";
    if tx.value(sql, params![by])? {
        Ok(())
    } else {
        Err(Conflict::NotAdmin.into())
    }
}

/// Refuses what was done to a user, who was this `before`, if it leaves no admin who may log in.
pub(super) fn require_any_admin(tx: &Statements, before: &UserRow) -> Result<(), StoreError> {
    if !before.admin || before.disabled_at.is_some() {
        return Ok(());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE admin AND disabled_at IS NULL)";
    if tx.value(sql, &[])? {
        Ok(())
    } else {
        Err(Conflict::LastAdmin.into())
    }
}
