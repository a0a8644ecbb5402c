//! What the tests share.
#![allow(dead_code, reason = "no test uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use volumes::{SnapshotId, Volume};

/// A folder of volumes, of which there is one: `live`.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.live()).unwrap();
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn live(&self) -> PathBuf {
        self.path().join("live")
    }

    pub fn volume(&self, name: &str) -> Volume {
        Volume::open(self.path(), name).unwrap()
    }

    pub fn snapshots(&self, volume: &str) -> PathBuf {
        self.path().join(".snapshots").join(volume)
    }

    pub fn data(&self, volume: &str, id: &SnapshotId) -> PathBuf {
        self.snapshots(volume).join(id.as_str()).join("data")
    }

    /// What is left of unfinished work.
    pub fn leftovers(&self, volume: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.snapshots(volume)) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name != "lock" && name.parse::<SnapshotId>().is_err())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The standard library's removal keeps a file open for each level of a deep tree.
        let _ = Command::new("chmod")
            .args(["-R", "u+rwx"])
            .arg(self.path())
            .status();
        let _ = Command::new("rm").arg("-rf").arg(self.path()).status();
    }
}

pub fn id(number: u64) -> SnapshotId {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number);
    SnapshotId::new(at, 7)
}

pub fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What `find` prints of a tree: types, modes, owners, sizes, times, link counts and targets.
pub fn listing(tree: &Path) -> String {
    let format = "%P %y %m %U %G %n %T@ %l";
    let output = Command::new("find")
        .arg(tree)
        .args([
            "(",
            "-type",
            "d",
            "-printf",
            &format!("{}\\0", format.replace("%n ", "")),
            ")",
        ])
        .args(["-o", "-printf", &format!("{format} %s\\0")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines: Vec<&str> = text.split('\0').collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// A number below `most`, of no use to anybody who wants secrets.
pub fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % most
}
