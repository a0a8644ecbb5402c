//! How our types stand in columns.

use crate::access::Access;
use crate::scope::Scopes;
use crate::store::{
    ArchiveState, ChangeKind, ChangeOutcome, Conflict, Outcome, SessionKind, StoreError,
};
use crate::timestamp::Timestamp;
use rusqlite::ffi;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::de::IntoDeserializer as _;
use serde::de::value::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        to_word(self)
    }
}

impl FromSql for SessionKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

impl ToSql for Scopes {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Scopes {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or_else(|| FromSqlError::Other("an unknown scope".into()))
    }
}

impl ToSql for Access {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        to_word(self)
    }
}

impl FromSql for Access {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        to_word(self)
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

impl ToSql for ArchiveState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        to_word(self)
    }
}

impl FromSql for ArchiveState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

impl ToSql for ChangeKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        to_word(self)
    }
}

impl FromSql for ChangeKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

impl ToSql for ChangeOutcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        to_word(self)
    }
}

impl FromSql for ChangeOutcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        from_word(value)
    }
}

/// The word that JSON has for it, too.
fn to_word(value: &impl Serialize) -> rusqlite::Result<ToSqlOutput<'static>> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word.into()),
        _ => Err(rusqlite::Error::ToSqlConversionFailure("not a word".into())),
    }
}

fn from_word<'w, T: Deserialize<'w>>(value: ValueRef<'w>) -> FromSqlResult<T> {
    let word = value.as_str()?.into_deserializer();
    T::deserialize(word).map_err(|error: Error| FromSqlError::Other(error.into()))
}

/// Turns «such a row exists» into what that means to the caller.
pub(super) fn duplicate(conflict: Conflict) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => conflict.into(),
        _ => error.into(),
    }
}

/// Turns «what it belongs to is not there» into what that means to the caller.
pub(super) fn dangling(conflict: Conflict) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => conflict.into(),
        _ => error.into(),
    }
}
