//! Statements, as `SQLite` runs them.

use crate::store::StoreError;
use crate::store::sql::value::{Row, Value};
use crate::store::sql::{Rejected, Run};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ffi, params_from_iter};

impl Run for Connection {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize, Rejected> {
        let executed = self
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(params)));
        executed.map_err(rejected)
    }

    fn query(
        &self,
        sql: &str,
        params: &[Value],
        row: &mut dyn FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(params))?;
        while let Some(found) = rows.next()? {
            let values = (0..columns).map(|column| Ok(value(found.get_ref(column)?)?));
            row(&Row(values.collect::<Result<_, StoreError>>()?))?;
        }
        Ok(())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(it) => ValueRef::Integer((*it).into()),
            Self::Int(it) => ValueRef::Integer(*it),
            Self::Text(it) => ValueRef::Text(it.as_bytes()),
            Self::Bytes(it) => ValueRef::Blob(it),
            Self::Uuid(it) => ValueRef::Blob(it.as_bytes()),
        }))
    }
}

fn value(found: ValueRef) -> rusqlite::Result<Value> {
    Ok(match found {
        ValueRef::Integer(it) => Value::Int(it),
        ValueRef::Text(_) => Value::Text(found.as_str()?.to_owned()),
        ValueRef::Blob(it) => Value::Bytes(it.to_vec()),
        // No column has real numbers.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    })
}

fn rejected(error: rusqlite::Error) -> Rejected {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            Rejected::Duplicate(error.into())
        }
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Rejected::Dangling(error.into()),
        _ => Rejected::Failed(error.into()),
    }
}

/// What standard SQL has and `SQLite` calls by other names.
pub(super) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let add = |name, choose: fn(i64, i64) -> i64| {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function(name, 2, flags, move |call| {
            Ok(choose(call.get(0)?, call.get(1)?))
        })
    };
    add("greatest", i64::max)?;
    add("least", i64::min)
}
