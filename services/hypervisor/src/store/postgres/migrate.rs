//! Brings a database to this program's version, forward only.

use super::machines;
use crate::store::{Revision, StoreError};
use deadpool_postgres::{Client, Transaction};
use uuid::Uuid;

/// The steps; a store of version n has gone through the first n. Released ones never change.
pub(super) const MIGRATIONS: [&str; 2] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_moves.sql"),
];

/// Two gateways that start at once migrate one after the other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('choiros store'))";

/// Makes this gateway, of this place, the one of its machine then; says what there is to know.
pub(super) async fn migrate(
    client: &mut Client,
    gateway: Uuid,
    machine: &str,
    place: &str,
) -> Result<Revision, StoreError> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let done = done(&transaction).await?;
    for (version, step) in (1_u32..).zip(MIGRATIONS).skip(done) {
        transaction.batch_execute(step).await?;
        let sql = "UPDATE schema_version SET version = $1";
        transaction.execute(sql, &[&i64::from(version)]).await?;
        tracing::info!(version, "store migrated");
    }
    let revision = machines::take(&transaction, gateway, machine, place).await?;
    machines::forget(&transaction).await?;
    transaction.commit().await?;
    Ok(revision)
}

/// How many steps the store has gone through, if it is one that this program knows; a new one, if
/// nothing is in the schema.
async fn done(transaction: &Transaction<'_>) -> Result<usize, StoreError> {
    let sql = "SELECT count(*), coalesce(bool_or(relname = 'schema_version'), FALSE)
               FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
    let row = transaction.query_one(sql, &[]).await?;
    let (objects, is_ours): (i64, bool) = (row.get(0), row.get(1));
    if objects == 0 {
        let sql = "CREATE TABLE schema_version (version BIGINT NOT NULL);
                   INSERT INTO schema_version VALUES (0)";
        transaction.batch_execute(sql).await?;
        return Ok(0);
    }
    if !is_ours {
        return Err(StoreError::ForeignDatabase);
    }
    let sql = "SELECT version FROM schema_version";
    let found: i64 = transaction.query_one(sql, &[]).await?.get(0);
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(StoreError::Newer {
            path: "store.url".into(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known: u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX),
        });
    }
    Ok(done)
}
