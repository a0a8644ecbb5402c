//! The data dir: one sandbox at a time has it, and a probe says whether it can be written.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Why the data dir cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It is not there, or refuses what a data dir is for.
    #[error("{}: {source}; give --data-dir a folder that this user may write to", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another sandbox has it.
    #[error("{}: another sandbox uses this folder; stop it, or give --data-dir another", .0.display())]
    InUse(PathBuf),
    /// The folder no longer has the event log that this sandbox writes to.
    #[error("{}: the event log was moved or replaced; put it back and restart this sandbox", .0.display())]
    LogGone(PathBuf),
}

/// The data dir, held by this process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Ends with the process, however it ends.
    _lock: File,
    /// Probes share a file, so they take turns.
    turn: Mutex<()>,
}

impl DataDir {
    /// Takes hold of the folder, which is made if need be. Another sandbox is given this long to
    /// let go of it: two writers of one log would not see each other's events.
    ///
    /// # Errors
    /// It cannot be written, or another sandbox keeps it.
    pub async fn open(path: &Path, handover: Duration) -> Result<Self, DataError> {
        let unusable = |source| DataError::Unusable {
            path: path.into(),
            source,
        };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        let deadline = Instant::now() + handover;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    sleep(Duration::from_millis(50)).await;
                }
                Err(TryLockError::WouldBlock) => return Err(DataError::InUse(path.into())),
            }
        }
        Ok(Self {
            path: path.into(),
            _lock: lock,
            turn: Mutex::new(()),
        })
    }

    /// Where the event log is.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("events.db")
    }

    /// What tells the event log's file from another one of that name.
    ///
    /// # Errors
    /// It is not there.
    pub fn log_identity(&self) -> Result<LogIdentity, DataError> {
        match fs::metadata(self.log_path()) {
            Ok(file) => Ok(LogIdentity(file.dev(), file.ino())),
            Err(_) => Err(DataError::LogGone(self.path.clone())),
        }
    }

    /// Writes a block to a new file, all the way to the disk: what an event will need. Blocks.
    ///
    /// # Errors
    /// It could not be written, or the event log is no longer the one that was opened.
    pub fn probe(&self, log: LogIdentity) -> Result<(), DataError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_probe().map_err(|source| DataError::Unusable {
            path: self.path.clone(),
            source,
        })?;
        // An open file that was removed takes writes as ever, and loses them.
        if self.log_identity()? == log {
            Ok(())
        } else {
            Err(DataError::LogGone(self.path.clone()))
        }
    }

    fn write_probe(&self) -> io::Result<()> {
        let path = self.path.join("probe");
        let mut file = File::create(&path)?;
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        fs::remove_file(path)
    }
}

/// The event log's file, whatever its name is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogIdentity(u64, u64);

#[cfg(test)]
mod tests {
    use super::{DataDir, DataError};
    use std::fs;
    use std::time::Duration;

    #[tokio::test]
    async fn a_probe_notices_a_folder_or_log_that_went_away() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        let data = DataDir::open(&path, Duration::ZERO).await.unwrap();
        fs::write(data.log_path(), "").unwrap();
        let log = data.log_identity().unwrap();
        data.probe(log).unwrap();

        fs::rename(data.log_path(), path.join("elsewhere")).unwrap();
        fs::write(data.log_path(), "").unwrap();
        assert!(matches!(data.probe(log), Err(DataError::LogGone(_))));

        fs::remove_dir_all(&path).unwrap();
        fs::write(&path, "a file in its place").unwrap();
        let error = data.probe(log).unwrap_err();
        assert!(matches!(error, DataError::Unusable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_folder_in_use_is_refused_and_one_that_is_let_go_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let first = DataDir::open(temp.path(), Duration::ZERO).await.unwrap();
        let second = DataDir::open(temp.path(), Duration::from_millis(1)).await;
        assert!(matches!(second, Err(DataError::InUse(_))));
        let let_go = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(first);
        };
        let third = DataDir::open(temp.path(), Duration::from_secs(30));
        let (third, ()) = tokio::join!(third, let_go);
        third.unwrap();
    }
}
