//! How our types stand in columns.

use crate::store::{Conflict, Outcome, SessionKind, StoreError};
use crate::timestamp::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, RowIndex, ffi};
use uuid::Uuid;

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_millis)
    }
}

impl ToSql for SessionKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Full => "full".into(),
            Self::Recovery => "recovery".into(),
        })
    }
}

impl FromSql for SessionKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "full" => Ok(Self::Full),
            "recovery" => Ok(Self::Recovery),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Passed => "passed".into(),
            Self::TakenBack => "taken_back".into(),
            Self::Overtaken => "overtaken".into(),
        })
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "passed" => Ok(Self::Passed),
            "taken_back" => Ok(Self::TakenBack),
            "overtaken" => Ok(Self::Overtaken),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

pub(super) fn uuid(row: &Row, column: impl RowIndex) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

pub(super) fn optional_uuid(row: &Row, column: impl RowIndex) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<_>>(column)?.map(Uuid::from_bytes))
}

/// Turns «such a row exists» into what that means to the caller.
pub(super) fn duplicate(conflict: Conflict) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => conflict.into(),
        _ => error.into(),
    }
}
