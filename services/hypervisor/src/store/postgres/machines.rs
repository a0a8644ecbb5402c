//! The gateways that have this store: which there are, and what each of them knows.

use super::Postgres;
use super::commit;
use super::lease::GONE;
use crate::store::sql::Shared;
use crate::store::{
    Capacity, Changed, Changes, Hash, Lease, MachineRow, News, Revision, StoreError,
};
use crate::timestamp::Timestamp;
use deadpool_postgres::GenericClient;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// So long it is kept what a transaction changed: much longer than any gateway that is not gone
/// waits with its next look.
const KEPT: &str = "1 hour";

/// Makes this gateway the one of its machine, once whatever is under way is over. One of the same
/// place is gone, since only one runs there; one of another is once its lease has ended. One that
/// has no name is the only one.
pub(super) async fn take(
    client: &impl GenericClient,
    gateway: Uuid,
    machine: &str,
    place: &str,
) -> Result<Revision, StoreError> {
    commit::lock(client).await?;
    let in_the_way =
        "SELECT place, ceil(extract(epoch FROM lease_until - clock_timestamp()))::bigint
        FROM machines
        WHERE (name = $1 OR name = '' OR $1 = '') AND gateway IS NOT NULL AND place <> $2
        AND lease_until >= clock_timestamp() ORDER BY lease_until DESC LIMIT 1";
    let other = client.query_opt(in_the_way, &[&machine, &place]).await?;
    if let Some(other) = other {
        return Err(StoreError::Held {
            place: other.get(0),
            secs: number(&other, 1),
        });
    }
    let elsewhere = "SELECT place FROM machines WHERE name = '' AND $1 <> '' AND place <> $2
        AND EXISTS (SELECT 1 FROM workspaces WHERE home = '' AND owned)";
    if let Some(only) = client.query_opt(elsewhere, &[&machine, &place]).await? {
        let place = only.get(0);
        return Err(StoreError::NotHere { place });
    }
    let gone = "UPDATE machines SET gateway = NULL WHERE name IN ($1, '') OR $1 = ''";
    client.execute(gone, &[&machine]).await?;
    client
        .execute("DELETE FROM machines WHERE name = ''", &[])
        .await?;
    let take = "INSERT INTO machines (name, gateway, place, confirmed)
        SELECT $1, $2, $3, number FROM revision
        ON CONFLICT (name) DO UPDATE SET gateway = excluded.gateway, place = excluded.place,
        seen_at = excluded.seen_at, lease_until = excluded.lease_until,
        confirmed = excluded.confirmed";
    client.execute(take, &[&machine, &gateway, &place]).await?;
    if !machine.is_empty() {
        // In the same step, so that of two machines that begin at once one has them.
        let adopt = "UPDATE workspaces SET home = $1, epoch = epoch + 1 WHERE home = ''";
        client.execute(adopt, &[&machine]).await?;
    }
    let sql = "SELECT number, name FROM writes ORDER BY number DESC LIMIT 1";
    Ok(revision(&client.query_one(sql, &[]).await?))
}

fn revision(row: &Row) -> Revision {
    Revision {
        number: number(row, 0),
        write: row.get(1),
    }
}

fn number(row: &Row, column: usize) -> u64 {
    u64::try_from(row.get::<_, i64>(column)).unwrap_or_default()
}

/// After so many looks what is old is forgotten: some minutes.
const FORGET_EACH: u64 = 1000;

/// All in one statement, which sees one state of the store.
async fn news(
    client: &impl GenericClient,
    gateway: Uuid,
    since: Revision,
) -> Result<News, StoreError> {
    let sql = "SELECT last.number, last.name, known.number IS NOT NULL, changed.kind, changed.key,
        CASE WHEN kind IN ('session', 'token') THEN decode(substr(key, 3), 'hex') END
        FROM revision JOIN writes AS last USING (number)
        LEFT JOIN writes AS known ON known.number = $1 AND known.name = $2
        LEFT JOIN (changed JOIN writes AS theirs ON theirs.number = changed.number
                   AND theirs.gateway <> $3) ON changed.number > $1";
    let since_number = i64::try_from(since.number).unwrap_or(i64::MAX);
    let rows = client
        .query(sql, &[&since_number, &since.write, &gateway])
        .await?;
    let Some(first) = rows.first() else {
        return Err(StoreError::Corrupt("it has no revision".to_owned()));
    };
    let is_known: bool = first.get(2);
    let changes = if is_known {
        let changed = rows.iter().filter_map(changed).collect::<Result<_, _>>()?;
        Changes::Only(changed)
    } else {
        Changes::Anything
    };
    Ok(News {
        revision: revision(first),
        changes,
    })
}

fn changed(row: &Row) -> Option<Result<Changed, StoreError>> {
    let kind: &str = row.get::<_, Option<_>>(3)?;
    let key: &str = row.get(4);
    let changed = match kind {
        "workspace" => Some(Changed::Workspace(key.to_owned())),
        "user" => key.parse().ok().map(Changed::User),
        "session" => hash(row).map(Changed::Session),
        "token" => hash(row).map(Changed::Token),
        _ => None,
    };
    Some(changed.ok_or_else(|| StoreError::Corrupt(format!("a changed {kind} has no such key"))))
}

fn hash(row: &Row) -> Option<Hash> {
    row.get::<_, Option<&[u8]>>(5)?.try_into().ok()
}

impl Shared for Postgres {
    fn wait_for_news(&self, most: Duration) {
        let hint = self.hint.notified();
        let _ = self
            .handle()
            .block_on(async { tokio::time::timeout(most, hint).await });
        // Until the news are confirmed.
        self.patience.ask();
    }

    fn news(&self) -> Result<News, StoreError> {
        let asked_at = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.revision;
        let news = async { news(&self.client().await?, self.gateway, since).await };
        let news = self.at_any_rate(news)?;
        self.patience.heard();
        known.asked_at = asked_at;
        Ok(news)
    }

    fn confirm(&self, news: &News, capacity: Capacity) -> Result<(), StoreError> {
        let number = i64::try_from(news.revision.number).unwrap_or(i64::MAX);
        let sql = "UPDATE machines SET confirmed = $2, seen_at = clock_timestamp(),
            lease_until = clock_timestamp() + $3 * interval '1 second', slots = $4, free_memory = $5
            WHERE gateway = $1";
        let slots = capacity.slots.map(i64::from);
        let memory = i64::try_from(capacity.free_memory).unwrap_or(i64::MAX);
        // Counted from later than our own clock does, so that it ends here before it ends there.
        let lasts = self.lease.lasts().max(GONE).as_secs_f64();
        let confirmed = self.within(async {
            let client = self.client().await?;
            let values: &[&(dyn ToSql + Sync)] = &[&self.gateway, &number, &lasts, &slots, &memory];
            Ok(client.execute(sql, values).await?)
        })?;
        if confirmed != 1 {
            return Err(StoreError::Replaced);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.revision = news.revision;
        self.lease.renew(known.asked_at);
        known.confirmed += 1;
        let is_time = known.confirmed.is_multiple_of(FORGET_EACH);
        drop(known);
        if is_time {
            self.within(async { forget(&self.client().await?).await })?;
        }
        self.patience.rest();
        Ok(())
    }

    fn is_current(&self) -> bool {
        self.lease.holds()
    }

    fn lease(&self) -> Lease {
        self.lease.view()
    }

    fn revision(&self) -> Result<u64, StoreError> {
        let sql = "SELECT number FROM revision";
        self.within(async {
            let client = self.client().await?;
            Ok(number(&client.query_one(sql, &[]).await?, 0))
        })
    }

    fn is_known(&self, revision: u64) -> Result<bool, StoreError> {
        let sql = "SELECT NOT EXISTS (
            SELECT 1 FROM machines JOIN changed ON changed.number > machines.confirmed
            JOIN writes ON writes.number = changed.number AND writes.gateway <> machines.gateway
            WHERE changed.number <= $1
            AND machines.seen_at >= clock_timestamp() - $2 * interval '1 second')";
        let last = i64::try_from(revision).unwrap_or(i64::MAX);
        let gone = GONE.as_secs_f64();
        self.within(async {
            let client = self.client().await?;
            Ok(client.query_one(sql, &[&last, &gone]).await?.get(0))
        })
    }

    fn release(&self) -> Result<(), StoreError> {
        let sql = "UPDATE machines SET gateway = NULL WHERE gateway = $1";
        self.within(async {
            self.client().await?.execute(sql, &[&self.gateway]).await?;
            Ok(())
        })
    }

    fn machines(&self) -> Result<Vec<MachineRow>, StoreError> {
        let sql = "SELECT machines.name, place,
            gateway IS NOT NULL AND seen_at >= clock_timestamp() - $1 * interval '1 second',
            (extract(epoch FROM seen_at) * 1000)::bigint, number - confirmed,
            (SELECT count(*) FROM workspaces WHERE home = machines.name), slots, free_memory
            FROM machines, revision ORDER BY machines.name";
        let gone = GONE.as_secs_f64();
        let row = |row: &Row| MachineRow {
            name: row.get(0),
            place: row.get(1),
            is_there: row.get(2),
            seen_at: Timestamp::from_millis(row.get(3)),
            behind: number(row, 4),
            workspaces: number(row, 5),
            capacity: Capacity {
                slots: row
                    .get::<_, Option<i64>>(6)
                    .and_then(|slots| slots.try_into().ok()),
                free_memory: number(row, 7),
            },
        };
        self.within(async {
            let rows = self.client().await?.query(sql, &[&gone]).await?;
            Ok(rows.iter().map(row).collect())
        })
    }
}

/// Forgets what was written long ago, but for the last.
pub(super) async fn forget(client: &impl GenericClient) -> Result<(), StoreError> {
    let sql = format!(
        "DELETE FROM writes WHERE at < clock_timestamp() - interval '{KEPT}'
         AND number < (SELECT number FROM revision)"
    );
    client.execute(&sql, &[]).await?;
    Ok(())
}
