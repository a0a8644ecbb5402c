//! A new store in each engine.

use crate::config::Store;
use crate::store::sql::Database;
use std::path::Path;
use tempfile::TempDir;

#[derive(Debug, Clone, Copy)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// A new store; `None` where its engine is not installed.
    pub(super) fn open(self) -> Option<(TempDir, Database)> {
        let folder = tempfile::tempdir().unwrap();
        let store = match self {
            Self::Sqlite => Database::sqlite(&folder.path().join("hypervisor.db")),
            Self::Postgres => Database::postgres(
                &settings(folder.path()),
                &testkit::postgres::shared().unwrap()?.database().unwrap(),
                "",
            ),
        };
        Some((folder, store.unwrap()))
    }
}

/// Of a gateway whose state is in this folder.
pub(in crate::store) fn settings(folder: &Path) -> Store {
    Store {
        path: folder.join("hypervisor.db"),
        timeout_secs: 10,
        ..Store::default()
    }
}
