//! What is copied, and how it is kept.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id, listing, text};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;
use volumes::{Keep, NoFreezer, Reason, Volume, VolumeError};

#[test]
fn a_snapshot_is_what_the_volume_was() {
    let folder = Folder::new();
    let live = folder.live();
    fs::create_dir_all(live.join("a/b")).unwrap();
    fs::write(live.join("a/b/note"), "first").unwrap();
    fs::hard_link(live.join("a/b/note"), live.join("same")).unwrap();
    symlink("/etc/passwd", live.join("out")).unwrap();
    fs::set_permissions(live.join("a"), fs::Permissions::from_mode(0o2750)).unwrap();
    let volume = Volume::open(folder.path(), "live").unwrap();
    let made = volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
    fs::write(live.join("a/b/note"), "second").unwrap();

    let copy = folder.data("live", &id(1));
    assert_eq!(text(copy.join("a/b/note")), "first");
    assert_eq!(text(copy.join("same")), "first");
    let [one, other] = ["a/b/note", "same"].map(|name| copy.join(name).metadata().unwrap().ino());
    assert_eq!(one, other);
    assert_eq!(
        fs::read_link(copy.join("out")).unwrap(),
        Path::new("/etc/passwd")
    );
    assert_eq!(copy.join("a").metadata().unwrap().mode() & 0o7777, 0o2750);
    assert_eq!((made.files, made.bytes), (3, 5));
    assert_eq!(volume.snapshots().unwrap()[0].id, made.id);
    let again = volume.snapshot(&id(1), Reason::Asked, &NoFreezer);
    assert!(matches!(again, Err(VolumeError::Exists { .. })));
    volume.remove(&id(1)).unwrap();
    assert!(volume.snapshots().unwrap().is_empty());
    assert!(matches!(
        volume.remove(&id(1)),
        Err(VolumeError::NoSnapshot { .. })
    ));
}

#[test]
fn a_volume_becomes_a_copy_and_what_was_there_is_kept() {
    let folder = Folder::new();
    let (live, dev) = (folder.live(), folder.path().join("dev"));
    fs::write(live.join("note"), "live").unwrap();
    fs::create_dir(&dev).unwrap();
    fs::set_permissions(&dev, fs::Permissions::from_mode(0o750)).unwrap();
    fs::write(dev.join("note"), "dev").unwrap();
    let from = Volume::open(folder.path(), "live").unwrap();
    let to = Volume::open(folder.path(), "dev").unwrap();
    from.snapshot(&id(1), Reason::Fork, &NoFreezer).unwrap();
    let aside = to.replace(&from, &id(1), &id(2)).unwrap();
    assert_eq!(text(dev.join("note")), "live");
    assert_eq!(text(live.join("note")), "live");
    assert_eq!(dev.metadata().unwrap().mode() & 0o777, 0o750);
    assert_eq!(text(folder.data("dev", &id(2)).join("note")), "dev");
    assert_eq!(to.snapshots().unwrap()[0].id, aside.id);
    // And back.
    to.replace(&to, &id(2), &id(3)).unwrap();
    assert_eq!(text(dev.join("note")), "dev");
    to.recover().unwrap();
    assert_eq!(to.snapshots().unwrap().len(), 2);
    let gone = to.prune(&Keep { last: 1, daily: 0 }, &[]).unwrap();
    assert_eq!(gone, [id(2)]);
    assert!(matches!(
        to.replace(&from, &id(9), &id(10)),
        Err(VolumeError::NoSnapshot { .. })
    ));
}

#[test]
fn the_second_pass_copies_what_changed() {
    let folder = Folder::new();
    let live = folder.live();
    fs::set_permissions(&live, fs::Permissions::from_mode(0o2771)).unwrap();
    for number in 0..1000 {
        let sub = live.join(format!("{}", number % 10));
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("{number}")), "old").unwrap();
    }
    // Folders that even their owner may not write in.
    let closed = |name: &str, mode: u32| {
        fs::set_permissions(live.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["3", "5", "6"] {
        closed(name, 0o555);
    }
    std::thread::sleep(Duration::from_millis(2500));
    let volume = Volume::open(folder.path(), "live").unwrap();
    volume.prepare(&id(1)).unwrap();
    fs::write(live.join("1/1"), "new").unwrap();
    fs::remove_file(live.join("2/2")).unwrap();
    closed("3", 0o755);
    fs::remove_dir_all(live.join("3")).unwrap();
    fs::write(live.join("5/5"), "new").unwrap();
    closed("6", 0o755);
    fs::rename(live.join("6/6"), live.join("6/more")).unwrap();
    closed("6", 0o555);
    fs::write(live.join("3"), "a file now").unwrap();
    fs::create_dir(live.join("more")).unwrap();
    fs::write(live.join("more/note"), "new").unwrap();
    let made = volume
        .snapshot(&id(1), Reason::Promote, &NoFreezer)
        .unwrap();
    let copy = folder.data("live", &id(1));
    assert_eq!(text(copy.join("1/1")), "new");
    assert_eq!(text(copy.join("3")), "a file now");
    assert_eq!(text(copy.join("more/note")), "new");
    assert_eq!(text(copy.join("4/4")), "old");
    assert!(!copy.join("2/2").exists());
    assert_eq!(made.files, 1000 - 1 - 100 + 1 + 1);
    assert_eq!(listing(&copy), listing(&live));
    assert!(folder.leftovers("live").is_empty());
}

#[test]
fn what_was_prepared_and_given_up_takes_no_room() {
    let folder = Folder::new();
    fs::write(folder.live().join("much"), vec![1; 5 << 20]).unwrap();
    let volume = folder.volume("live");
    volume.prepare(&id(1)).unwrap();
    volume.prepare(&id(2)).unwrap();
    assert_eq!(folder.leftovers("live"), [format!("{}.part", id(2))]);
    assert!(volume.snapshots().unwrap().is_empty());
    volume.remove(&id(2)).unwrap();
    assert!(folder.leftovers("live").is_empty());
}
