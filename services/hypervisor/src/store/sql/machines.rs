//! Several gateways with one store, where the engine allows it.

use super::{Database, params};
use crate::store::{
    Capacity, Changes, Lease, MachineRow, MachineStore, News, Revision, StoreError,
};
use std::time::Duration;
use uuid::Uuid;

/// An engine that several gateways may have at the same time.
pub(in crate::store) trait Shared {
    /// See [`MachineStore`], also for the others.
    fn wait_for_news(&self, most: Duration);
    fn news(&self) -> Result<News, StoreError>;
    fn confirm(&self, news: &News, capacity: Capacity) -> Result<(), StoreError>;
    fn is_current(&self) -> bool;
    fn lease(&self) -> Lease;
    fn revision(&self) -> Result<u64, StoreError>;
    fn is_known(&self, revision: u64) -> Result<bool, StoreError>;
    fn release(&self) -> Result<(), StoreError>;
    fn machines(&self) -> Result<Vec<MachineRow>, StoreError>;
}

/// Of a store in which nobody else ever writes.
const NO_NEWS: News = News {
    revision: Revision {
        number: 0,
        write: Uuid::nil(),
    },
    changes: Changes::Only(Vec::new()),
};

impl MachineStore for Database {
    fn is_shared(&self) -> bool {
        self.engine.shared().is_some()
    }

    fn adopt(&self, machine: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "SELECT DISTINCT home FROM workspaces WHERE home <> '' ORDER BY home";
            let homes: Vec<String> = tx.all(sql, &[], |row| row.get(0))?;
            let from = match (machine, &homes[..]) {
                ("", []) => return Ok(()),
                ("", [only]) => only,
                ("", _) => return Err(StoreError::Homes(homes.join(", "))),
                _ => "",
            };
            let sql = "UPDATE workspaces SET home = ?2, epoch = epoch + 1 WHERE home = ?1";
            tx.execute(sql, params![from, machine])?;
            Ok(())
        })
    }

    fn wait_for_news(&self, most: Duration) {
        match self.engine.shared() {
            Some(shared) => shared.wait_for_news(most),
            None => std::thread::sleep(most),
        }
    }

    fn news(&self) -> Result<News, StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(NO_NEWS), |shared| self.counted(shared.news()))
    }

    fn confirm(&self, news: &News, capacity: Capacity) -> Result<(), StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(()), |shared| {
            self.counted(shared.confirm(news, capacity))
        })
    }

    fn is_current(&self) -> bool {
        let shared = self.engine.shared();
        shared.is_none_or(Shared::is_current)
    }

    fn lease(&self) -> Option<Lease> {
        self.engine.shared().map(Shared::lease)
    }

    fn revision(&self) -> Result<u64, StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(0), |shared| self.counted(shared.revision()))
    }

    fn is_known(&self, revision: u64) -> Result<bool, StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(true), |shared| self.counted(shared.is_known(revision)))
    }

    fn release(&self) -> Result<(), StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(()), |shared| self.counted(shared.release()))
    }

    fn machines(&self) -> Result<Vec<MachineRow>, StoreError> {
        let shared = self.engine.shared();
        shared.map_or(Ok(Vec::new()), |shared| self.counted(shared.machines()))
    }
}
