//! Transactions that write: one after the other, whichever gateway they are of, and each known to be
//! whole or not there, also when the connection breaks at its end.

use crate::store::StoreError;
use deadpool_postgres::GenericClient;
use std::time::Duration;
use uuid::Uuid;

/// So long the outcome of a transaction is looked for. By then a server that restarts is there.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// What is said of one that the server undid.
pub(super) const LOST: &str = "the connection broke, and nothing was written";

/// Waits until no other transaction writes, and has none begin before this one's end.
pub(super) async fn lock(client: &impl GenericClient) -> Result<(), StoreError> {
    let sql = "SELECT number FROM revision FOR UPDATE";
    client.query_one(sql, &[]).await?;
    Ok(())
}

/// Begins one of this gateway, if that still has its place; says how it is called.
///
/// The server's own number of it is no such name: after a crash another one may get it.
pub(super) async fn begin(client: &impl GenericClient, gateway: Uuid) -> Result<Uuid, StoreError> {
    let name = Uuid::new_v4();
    let count = client.prepare_cached("UPDATE revision SET number = number + 1");
    client.execute(&count.await?, &[]).await?;
    // A statement of its own, so that it sees what was there once the row was locked.
    let note = "INSERT INTO writes (number, name, gateway)
                SELECT revision.number, $2, machines.gateway FROM revision, machines
                WHERE machines.gateway = $1";
    let note = client.prepare_cached(note).await?;
    match client.execute(&note, &[&gateway, &name]).await? {
        0 => Err(StoreError::Replaced),
        _ => Ok(name),
    }
}

/// Whether a transaction was committed. Waits for its end, should the server still be at it.
pub(super) async fn is_committed(
    client: &impl GenericClient,
    write: Uuid,
) -> Result<bool, StoreError> {
    lock(client).await?;
    let sql = "SELECT EXISTS (SELECT 1 FROM writes WHERE name = $1)";
    Ok(client.query_one(sql, &[&write]).await?.get(0))
}
