//! Statements, as PostgreSQL runs them.

use super::patience::Patience;
use crate::store::StoreError;
use crate::store::sql::value::{Row, Value};
use crate::store::sql::{Rejected, Run};
use deadpool_postgres::GenericClient;
use std::error::Error;
use std::future::Future;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// The statements of one connection or transaction.
pub(super) struct Statements<'t, C> {
    handle: &'t Handle,
    client: &'t C,
    patience: &'t Patience,
}

impl<'t, C: GenericClient> Statements<'t, C> {
    pub(super) const fn new(handle: &'t Handle, client: &'t C, patience: &'t Patience) -> Self {
        Self {
            handle,
            client,
            patience,
        }
    }

    fn run<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let work = async { Ok(work.await?) };
        let done = self.handle.block_on(self.patience.unless_silent(work))?;
        self.patience.heard();
        Ok(done)
    }
}

impl<C: GenericClient> Run for Statements<'_, C> {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<usize, Rejected> {
        let changed = self.run(async {
            let statement = self.client.prepare_cached(&numbered(sql)).await?;
            self.client.execute(&statement, &values(params)).await
        });
        let changed = changed.map_err(rejected)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &self,
        sql: &str,
        params: &[Value],
        row: &mut dyn FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let found = self.run(async {
            let statement = self.client.prepare_cached(&numbered(sql)).await?;
            self.client.query(&statement, &values(params)).await
        })?;
        for found in found {
            let columns = (0..found.len()).map(|column| Ok(found.try_get(column)?));
            row(&Row(columns.collect::<Result<_, StoreError>>()?))?;
        }
        Ok(())
    }
}

/// With the values numbered as this engine wants it. No statement has a `?` of another meaning.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

fn values(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params
        .iter()
        .map(|value| -> &(dyn ToSql + Sync) { value })
        .collect()
}

fn rejected(error: StoreError) -> Rejected {
    let state = match &error {
        StoreError::Postgres(error) => error.code(),
        _ => None,
    };
    match state {
        Some(state) if *state == SqlState::UNIQUE_VIOLATION => Rejected::Duplicate(error),
        Some(state) if *state == SqlState::FOREIGN_KEY_VIOLATION => Rejected::Dangling(error),
        _ => Rejected::Failed(error),
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        column: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bool(it) => it.to_sql_checked(column, out),
            // How the embedded engine has them.
            Self::Int(it @ 0..=1) if *column == Type::BOOL => (*it == 1).to_sql(column, out),
            Self::Int(it) if *column == Type::INT4 => i32::try_from(*it)?.to_sql(column, out),
            Self::Int(it) => it.to_sql_checked(column, out),
            Self::Text(it) => it.to_sql_checked(column, out),
            Self::Bytes(it) if *column == Type::UUID => Uuid::from_slice(it)?.to_sql(column, out),
            Self::Bytes(it) => it.to_sql_checked(column, out),
            Self::Uuid(it) => it.to_sql_checked(column, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // Which it is, only the value tells.
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Value {
    fn from_sql(column: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *column {
            Type::BOOL => Self::Bool(bool::from_sql(column, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(column, raw)?.into()),
            Type::INT8 => Self::Int(i64::from_sql(column, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(column, raw)?),
            Type::UUID => Self::Uuid(Uuid::from_sql(column, raw)?),
            _ => Self::Text(String::from_sql(column, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
