//! Statements, and what becomes of those that the engine rejects.

use super::value::{FromValue, Row, Value};
use crate::store::{Conflict, StoreError};

/// What an engine does within one transaction.
pub(in crate::store) trait Run {
    /// Executes a statement; says how many rows it has changed.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize, Rejected>;

    /// Gives each row that a statement finds to `row`, until that fails.
    fn query(
        &self,
        sql: &str,
        params: &[Value],
        row: &mut dyn FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// Why a statement was not executed.
#[derive(Debug)]
pub(in crate::store) enum Rejected {
    /// Such a row exists.
    Duplicate(StoreError),
    /// What the row belongs to is not there.
    Dangling(StoreError),
    /// All else.
    Failed(StoreError),
}

impl From<Rejected> for StoreError {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Duplicate(error) | Rejected::Dangling(error) | Rejected::Failed(error) => {
                error
            }
        }
    }
}

/// Turns «such a row exists» into what that means to the caller.
pub(super) fn duplicate(conflict: Conflict) -> impl Fn(Rejected) -> StoreError {
    move |rejected| match rejected {
        Rejected::Duplicate(_) => conflict.into(),
        other => other.into(),
    }
}

/// Turns «what it belongs to is not there» into what that means to the caller.
pub(super) fn dangling(conflict: Conflict) -> impl Fn(Rejected) -> StoreError {
    move |rejected| match rejected {
        Rejected::Dangling(_) => conflict.into(),
        other => other.into(),
    }
}

/// The statements of one transaction.
pub(super) struct Statements<'t>(pub(super) &'t dyn Run);

impl Statements<'_> {
    /// Executes one; says how many rows it has changed.
    pub(super) fn execute(&self, sql: &str, params: &[Value]) -> Result<usize, Rejected> {
        self.0.execute(sql, params)
    }

    /// Every row that `sql` finds.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: &[Value],
        mut row: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.0.query(sql, params, &mut |found| {
            all.push(row(found)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The row that `sql` finds, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: &[Value],
        row: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, params, row)?.pop())
    }

    /// The one value that `sql` always finds.
    pub(super) fn value<T: FromValue>(&self, sql: &str, params: &[Value]) -> Result<T, StoreError> {
        let value = self.one(sql, params, |row| row.get(0))?;
        value.ok_or_else(|| StoreError::Corrupt(format!("nothing was found by {sql}")))
    }
}
