//! Room for what is written next, on a disk that others may fill.

use super::Sqlite;
use crate::store::StoreError;

/// Twice the pages after which `SQLite` starts its WAL over: none of them needs the disk to grow.
const RESERVE: u32 = 8 << 20;

impl Sqlite {
    /// Makes the WAL and the store so long that thousands of log-ins and swaps are written into what
    /// they have already. Without a write in between, it costs nothing of the kind again.
    ///
    /// # Errors
    /// The disk has no room now, or the engine's.
    pub fn keep_room(&self) -> Result<(), StoreError> {
        // Two transactions: pages that one makes and frees again are never written.
        self.write(|tx| {
            tx.execute_batch("DROP TABLE IF EXISTS room; CREATE TABLE room (pages BLOB) STRICT")?;
            tx.execute("INSERT INTO room VALUES (zeroblob(?1))", [RESERVE])?;
            Ok(())
        })?;
        self.write(|tx| Ok(tx.execute_batch("DROP TABLE room")?))?;
        self.read(|connection| {
            Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn fill(store: &Sqlite, bytes: u32) -> Result<(), StoreError> {
        store.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO meta VALUES ('test', CAST(zeroblob(?1) AS TEXT))",
                [bytes],
            )?;
            Ok(())
        })
    }

    /// As on a full disk: the file may not grow.
    fn full(store: &Sqlite) {
        let pin = |connection: &Connection| {
            let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            connection.pragma_update(None, "max_page_count", pages)?;
            Ok(())
        };
        store.read(pin).unwrap();
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
