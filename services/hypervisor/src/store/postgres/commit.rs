//! Transactions that write: one after the other, by one gateway alone, and each known to be whole or
//! not there, also when the connection breaks at its end.

use crate::store::StoreError;
use deadpool_postgres::GenericClient;
use std::time::Duration;
use uuid::Uuid;

/// So long the outcome of a transaction is looked for. By then a server that restarts is there.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// What is said of one that the server undid.
pub(super) const LOST: &str = "the connection broke, and nothing was written";

/// Makes this gateway the one that may write, once whatever is under way is over. One of the same
/// place is gone, since only one runs there; one of another is if it was not heard of for long.
pub(super) async fn take(
    client: &impl GenericClient,
    gateway: Uuid,
    place: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE writer SET gateway = $1, place = $2, seen_at = clock_timestamp()
               WHERE gateway IS NULL OR place = $2
               OR seen_at < clock_timestamp() - interval '15 seconds'";
    if client.execute(sql, &[&gateway, &place]).await? == 1 {
        return Ok(());
    }
    let holder = client.query_one("SELECT place FROM writer", &[]).await?;
    Err(StoreError::Held(holder.get(0)))
}

/// Says that this gateway still uses the store.
pub(super) async fn renew(client: &impl GenericClient, gateway: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE writer SET seen_at = clock_timestamp() WHERE gateway = $1";
    match client.execute(sql, &[&gateway]).await? {
        1 => Ok(()),
        _ => Err(StoreError::Replaced),
    }
}

/// Lets another gateway have the store at once.
pub(super) async fn release(client: &impl GenericClient, gateway: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE writer SET gateway = NULL WHERE gateway = $1";
    client.execute(sql, &[&gateway]).await?;
    Ok(())
}

/// Waits until no other transaction writes, if this gateway still may; says how this one is called.
///
/// The server's own number of it is no such name: after a crash another one may get it.
pub(super) async fn begin(client: &impl GenericClient, gateway: Uuid) -> Result<Uuid, StoreError> {
    let write = Uuid::new_v4();
    let sql = "UPDATE writer SET write = $2, seen_at = clock_timestamp() WHERE gateway = $1";
    match client.execute(sql, &[&gateway, &write]).await? {
        1 => Ok(write),
        _ => Err(StoreError::Replaced),
    }
}

/// Whether this gateway's last transaction was committed. Waits for its end, should the server still
/// be at it.
pub(super) async fn is_committed(
    client: &impl GenericClient,
    gateway: Uuid,
    write: Uuid,
) -> Result<bool, StoreError> {
    let sql = "SELECT gateway, write FROM writer FOR UPDATE";
    let row = client.query_one(sql, &[]).await?;
    let (holder, last): (Option<Uuid>, Option<Uuid>) = (row.get(0), row.get(1));
    match last == Some(write) {
        true => Ok(true),
        false if holder == Some(gateway) => Ok(false),
        // Another gateway may have written since.
        false => Err(StoreError::Undecided),
    }
}
