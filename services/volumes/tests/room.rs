//! A full disk: refused with the room that is needed, and nothing is left behind.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{id, is_root};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use volumes::{Freezer, NoFreezer, Reason, Volume, VolumeError};

/// A small file system in memory, which only root can make.
struct Small(TempDir);

impl Small {
    fn new(options: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(folder.path())
            .status();
        // A build's sandbox has a root that may not mount.
        if !mounted.is_ok_and(|status| status.success()) {
            return None;
        }
        fs::create_dir(folder.path().join("live")).unwrap();
        Some(Self(folder))
    }

    fn live(&self) -> PathBuf {
        self.0.path().join("live")
    }

    fn volume(&self) -> Volume {
        Volume::open(self.0.path(), "live").unwrap()
    }

    fn left_behind(&self) -> usize {
        let snapshots = self.0.path().join(".snapshots/live");
        fs::read_dir(snapshots).unwrap().count() - 1
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Fills the disk once the first look at its room is over.
struct Filling<'a>(&'a Path);

impl Freezer for Filling<'_> {
    fn freeze(&self) -> io::Result<()> {
        let mut file = fs::File::create(self.0)?;
        while file.write_all(&[1; 4096]).is_ok() {}
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_copied() {
    let Some(small) = Small::new("size=64m") else {
        return;
    };
    fs::write(small.live().join("much"), vec![1; 40 << 20]).unwrap();
    let error = small
        .volume()
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap_err();
    let place = small.0.path().display();
    assert_eq!(
        error.to_string(),
        format!(
            "a copy of `live` needs 40.0 MiB in {place}/.snapshots/live, where 17.6 MiB are free beyond the reserve of 6.3 MiB: remove snapshots with `hypervisor snapshots`, or make room there"
        )
    );
    assert_eq!(small.left_behind(), 0);
}

#[test]
fn a_disk_that_fills_up_meanwhile_is_told_the_same_way() {
    let Some(small) = Small::new("size=64m") else {
        return;
    };
    for file in 0..10 {
        fs::write(small.live().join(file.to_string()), vec![1; 1 << 20]).unwrap();
    }
    let filler = small.0.path().join("filler");
    let error = small
        .volume()
        .snapshot(&id(1), Reason::Asked, &Filling(&filler))
        .unwrap_err();
    assert!(
        matches!(error, VolumeError::NoRoom { needs, free: 0, .. } if needs > 10 << 20),
        "{error}"
    );
    assert_eq!(small.left_behind(), 0);
    fs::remove_file(&filler).unwrap();
    small
        .volume()
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    // A copy in the volume's place does not fit any more, and the volume stays as it is.
    fs::write(&filler, vec![1; 34 << 20]).unwrap();
    let volume = small.volume();
    let error = volume.replace(&volume, &id(1), &id(2)).unwrap_err();
    assert!(matches!(error, VolumeError::NoRoom { .. }), "{error}");
    assert_eq!(small.left_behind(), 1);
    assert_eq!(fs::read_dir(small.live()).unwrap().count(), 10);
}

#[test]
fn a_disk_may_have_no_room_for_names() {
    let Some(small) = Small::new("size=64m,nr_inodes=100") else {
        return;
    };
    for file in 0..60 {
        fs::write(small.live().join(file.to_string()), "").unwrap();
    }
    let error = small
        .volume()
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap_err();
    assert!(
        matches!(error, VolumeError::NoInodes { needs: 60, .. }),
        "{error}"
    );
    assert_eq!(small.left_behind(), 0);
}

#[test]
fn a_snapshot_is_put_back_where_no_more_files_can_be_made() {
    let Some(small) = Small::new("size=64m,nr_inodes=100") else {
        return;
    };
    fs::write(small.live().join("old"), "old").unwrap();
    let volume = small.volume();
    volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
    let taken = (0..200).take_while(|n| fs::write(small.live().join(n.to_string()), "").is_ok());
    assert!(taken.count() < 100);
    let aside = volume.put_back(&id(1), &id(2)).unwrap();
    assert!(aside.files > 60);
    assert_eq!(fs::read_dir(small.live()).unwrap().count(), 1);
    assert_eq!(volume.snapshots().unwrap().len(), 1);
}
