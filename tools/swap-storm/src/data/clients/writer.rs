//! Writes numbered records, each until it is acknowledged, and reads them back.

use super::{Connection, Field, PAUSE};
use crate::data::account::{Account, Acknowledged, Wrong};
use crate::data::ledger::Kind;
use crate::data::record::Stored;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::sleep;

/// So many reads go with each record that is written.
const READS: u64 = 3;
/// So many records back does a read look.
const BACK: u64 = 10;

/// Runs client number `index` until the storm is over.
pub(in crate::data) async fn write(field: Arc<Field>, index: usize) {
    let account = &field.accounts[index];
    let mut writes = Connection::new(&field, Kind::Write);
    let mut reads = Connection::new(&field, Kind::Read);
    while !field.is_over() {
        rest(&field).await;
        if !put(&mut writes, account).await {
            return;
        }
        for turn in 0..READS {
            read(&mut reads, account, BACK * turn).await;
        }
    }
}

/// Waits while nobody may write.
async fn rest(field: &Field) {
    if !field.rest.load(Ordering::SeqCst) {
        return;
    }
    field.resting.fetch_add(1, Ordering::SeqCst);
    while field.rest.load(Ordering::SeqCst) {
        sleep(PAUSE).await;
    }
    field.resting.fetch_sub(1, Ordering::SeqCst);
}

/// Sends the next record until it is acknowledged; false if what is there makes no sense.
async fn put(connection: &mut Connection, account: &Account) -> bool {
    let key = account.next();
    let path = format!("/records/{key}");
    for sent in 1.. {
        let Some((line, run)) = connection.ask("POST", &path, &key.text()).await else {
            continue;
        };
        let Some(stored) = Stored::of(line.trim_end()).filter(|stored| stored.key == key) else {
            let what = format!("{key} was acknowledged with {line:?}");
            connection.field.ledger.broken(what);
            return false;
        };
        account.acknowledge(Acknowledged {
            sequence: stored.sequence,
            release: run.release,
            sent,
        });
        return true;
    }
    false
}

/// Reads the newest records but `skipped`, which all were acknowledged before.
async fn read(connection: &mut Connection, account: &Account, skipped: u64) {
    let count = account.count();
    let after = count.saturating_sub(skipped + BACK);
    let path = format!("/records/{}?after={after}", account.client);
    if let Some((lines, _)) = connection.ask("GET", &path, "").await {
        let wrong = account.compare(&lines, after, count);
        note(&connection.field, wrong);
    }
}

/// Writes down what is wrong.
pub(in crate::data) fn note(field: &Field, wrong: Vec<Wrong>) {
    field.ledger.record(|records| {
        for wrong in wrong {
            match wrong {
                Wrong::Lost(what) => records.lost.push(what),
                Wrong::Twice(what) => records.twice.push(what),
                Wrong::Disordered(what) => records.disordered.push(what),
            }
        }
    });
}
