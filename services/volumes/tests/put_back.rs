//! A snapshot becomes the volume, wholly or not at all, and neither is lost.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use volumes::{NoFreezer, Reason, SnapshotId, Volume, VolumeError};

fn id(number: u64) -> SnapshotId {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number);
    SnapshotId::new(at, 7)
}

struct Case {
    folder: TempDir,
    volume: Volume,
}

impl Case {
    /// A volume with `new` in it, and a snapshot of when it had `old`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("live");
        fs::create_dir(&live).unwrap();
        fs::write(live.join("note"), "old").unwrap();
        let volume = Volume::open(folder.path(), "live").unwrap();
        volume
            .snapshot(&id(1), Reason::Promote, &NoFreezer)
            .unwrap();
        fs::write(live.join("note"), "new").unwrap();
        Self { folder, volume }
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.folder.path().join(".snapshots/live").join(name)
    }

    fn live(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    fn note(&self) -> String {
        fs::read_to_string(self.live().join("note")).unwrap()
    }

    fn ids(&self) -> Vec<SnapshotId> {
        let all = self.volume.snapshots().unwrap();
        all.into_iter().map(|it| it.id).collect()
    }

    /// As a crash leaves it after the snapshot got the name of what is put aside.
    fn interrupted(&self) {
        let inode = |path: PathBuf| path.metadata().unwrap().ino();
        let copy = inode(self.kept(id(1).as_str()).join("data"));
        let old = inode(self.live());
        let record = format!(r#"{{"copy":{copy},"old":{old},"was":"{}"}}"#, id(1));
        let part = self.kept(&format!("{}.part", id(2)));
        fs::rename(self.kept(id(1).as_str()), &part).unwrap();
        fs::write(part.join("replace.json"), record).unwrap();
    }
}

#[test]
fn a_snapshot_becomes_the_volume_and_what_was_there_is_kept() {
    let case = Case::new();
    let aside = case.volume.put_back(&id(1), &id(2)).unwrap();
    assert_eq!((aside.reason, &aside.id), (Reason::Aside, &id(2)));
    assert_eq!((case.note(), case.ids()), ("old".into(), vec![id(2)]));
    let kept = case.kept(id(2).as_str());
    assert_eq!(fs::read_to_string(kept.join("data/note")).unwrap(), "new");
    assert!(!kept.join("replace.json").exists());
    // And back again.
    case.volume.put_back(&id(2), &id(3)).unwrap();
    assert_eq!((case.note(), case.ids()), ("new".into(), vec![id(3)]));
}

#[test]
fn what_is_not_there_or_is_taken_is_refused_and_nothing_changes() {
    let case = Case::new();
    let refused = case.volume.put_back(&id(9), &id(2));
    assert!(matches!(refused, Err(VolumeError::NoSnapshot { .. })));
    let refused = case.volume.put_back(&id(1), &id(1));
    assert!(matches!(refused, Err(VolumeError::Exists { .. })));
    assert_eq!((case.note(), case.ids()), ("new".into(), vec![id(1)]));
}

#[test]
fn interrupted_before_they_change_places_the_snapshot_is_what_it_was() {
    let case = Case::new();
    case.interrupted();
    case.volume.recover().unwrap();
    assert_eq!((case.note(), case.ids()), ("new".into(), vec![id(1)]));
    assert!(!case.kept(id(1).as_str()).join("replace.json").exists());
    case.volume.put_back(&id(1), &id(2)).unwrap();
    assert_eq!(case.note(), "old");
}

#[test]
fn interrupted_after_that_it_is_finished() {
    let case = Case::new();
    case.interrupted();
    let data = case.kept(&format!("{}.part", id(2))).join("data");
    let other = case.folder.path().join("other");
    fs::rename(case.live(), &other).unwrap();
    fs::rename(&data, case.live()).unwrap();
    fs::rename(&other, &data).unwrap();
    case.volume.recover().unwrap();
    assert_eq!((case.note(), case.ids()), ("old".into(), vec![id(2)]));
    let about = case.volume.snapshots().unwrap();
    assert_eq!(about[0].reason, Reason::Aside);
}

#[test]
fn what_was_the_volume_is_not_lost_when_an_order_comes_once_more_instead() {
    let case = Case::new();
    case.interrupted();
    // The snapshot is in what is not whole, under the very id that is to be used again.
    let aside = case.volume.put_back(&id(1), &id(2)).unwrap();
    assert_eq!((case.note(), aside.id), ("old".into(), id(2)));
    let case = Case::new();
    case.interrupted();
    let data = case.kept(&format!("{}.part", id(2))).join("data");
    rustix::fs::renameat_with(
        rustix::fs::CWD,
        &data,
        rustix::fs::CWD,
        case.live(),
        rustix::fs::RenameFlags::EXCHANGE,
    )
    .unwrap();
    // What was the volume is in there now.
    case.volume
        .snapshot(&id(3), Reason::Asked, &NoFreezer)
        .unwrap();
    let again = case.volume.replace(&case.volume, &id(3), &id(2));
    assert!(matches!(again, Err(VolumeError::Exists { .. })));
    let kept = case.kept(id(2).as_str());
    assert_eq!(fs::read_to_string(kept.join("data/note")).unwrap(), "new");
}
