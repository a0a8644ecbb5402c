//! By the freezer of a control group (version 2).

use super::{Freezer, PATIENCE, PAUSE};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Instant;

/// Holds still all processes of a control group and of those below it. One that vanishes
/// meanwhile runs nothing any more.
#[derive(Debug)]
pub struct CgroupFreezer {
    folder: PathBuf,
}

impl CgroupFreezer {
    /// `folder` is the group's, such as `/sys/fs/cgroup/machine.slice/…`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    fn set(&self, frozen: &str) -> io::Result<()> {
        let file = self.folder.join("cgroup.freeze");
        fs::write(&file, frozen).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot write {}: {error}", file.display()),
            )
        })
    }

    fn is_frozen(&self) -> io::Result<bool> {
        let events = fs::read_to_string(self.folder.join("cgroup.events"))?;
        Ok(events.lines().any(|line| line == "frozen 1"))
    }
}

impl Freezer for CgroupFreezer {
    fn freeze(&self) -> io::Result<()> {
        self.set("1")?;
        let until = Instant::now() + PATIENCE;
        while !self.is_frozen()? {
            if Instant::now() > until {
                let group = self.folder.display();
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{group} did not freeze within {} s", PATIENCE.as_secs()),
                ));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        match self.set("0") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
