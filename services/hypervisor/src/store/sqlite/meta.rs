//! What the store knows about the installation, and about itself.

use super::Sqlite;
use crate::store::{MetaStore, StoreError};
use crate::timestamp::Timestamp;
use std::sync::atomic::Ordering;

impl MetaStore for Sqlite {
    fn get_or_insert_meta(&self, key: &str, value: &str) -> Result<String, StoreError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
                [key, value],
            )?;
            let sql = "SELECT value FROM meta WHERE key = ?1";
            Ok(tx.query_row(sql, [key], |row| row.get(0))?)
        })
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.execute(sql, [key, value])?;
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        self.set_meta("checked_at", &Timestamp::now().to_string())
    }

    fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
