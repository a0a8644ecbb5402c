//! Room for what is written next, on a disk that others may fill.

use crate::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// Twice the pages after which `SQLite` starts its WAL over: none of them needs the disk to grow.
const RESERVE: u32 = 8 << 20;

/// Makes the WAL and the store so long that they need not grow for what is written next.
pub(super) fn keep(connection: &mut Connection) -> Result<(), StoreError> {
    // Two transactions: pages that one makes and frees again are never written.
    let making = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    making.execute_batch("DROP TABLE IF EXISTS room; CREATE TABLE room (pages BLOB) STRICT")?;
    making.execute("INSERT INTO room VALUES (zeroblob(?1))", [RESERVE])?;
    making.commit()?;
    connection.execute_batch("DROP TABLE room")?;
    Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::Engine as _;
    use crate::store::sqlite::Sqlite;

    fn fill(store: &Sqlite, bytes: u32) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO meta VALUES ('test', CAST(zeroblob(?1) AS TEXT))";
        store.connection().execute(sql, [bytes])?;
        Ok(())
    }

    /// As on a full disk: the file may not grow.
    fn full(store: &Sqlite) {
        let connection = store.connection();
        let pages = connection.query_row("PRAGMA page_count", [], |row| row.get(0));
        let pages: u32 = pages.unwrap();
        connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    }

    #[test]
    fn a_store_that_kept_room_is_written_to_on_a_full_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hypervisor.db");
        let store = Sqlite::open(&path).unwrap();
        full(&store);
        assert!(fill(&store, RESERVE / 2).is_err());

        let store = Sqlite::open(&path).unwrap();
        store.keep_room().unwrap();
        full(&store);
        fill(&store, RESERVE / 2).unwrap();
        let wal = std::fs::metadata(folder.path().join("hypervisor.db-wal")).unwrap();
        assert!(wal.len() >= u64::from(RESERVE));
    }

    #[test]
    fn keeping_room_again_takes_no_more_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hypervisor.db");
        let store = Sqlite::open(&path).unwrap();
        store.keep_room().unwrap();
        let before = std::fs::metadata(&path).unwrap().len();
        store.keep_room().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), before);
    }
}
