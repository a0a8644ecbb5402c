//! What the store knows about the installation, and about itself.

use super::{Database, params};
use crate::store::{MetaStore, StoreError};
use crate::timestamp::Timestamp;
use std::sync::atomic::Ordering;

impl MetaStore for Database {
    fn get_or_insert_meta(&self, key: &str, value: &str) -> Result<String, StoreError> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
                params![key, value],
            )?;
            let sql = "SELECT value FROM meta WHERE key = ?1";
            tx.value(sql, params![key])
        })
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.execute(sql, params![key, value])?;
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        self.set_meta("checked_at", &Timestamp::now().to_string())
    }

    fn keep_room(&self) -> Result<(), StoreError> {
        self.counted(self.engine.keep_room())
    }

    fn engine(&self) -> &'static str {
        self.engine.name()
    }

    fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
