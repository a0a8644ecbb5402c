//! What arrives is what was sent.

use crate::common::{id, is_root, text};
use crate::machines::{Machines, name, noise};
use rustix::fs::{Mode, XattrFlags, mkfifoat, mknodat, setxattr};
use std::fs::{self, File, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, SystemTime};
use volumes::{SendPass, VolumeError};

/// Some of everything that a volume may have.
pub fn fill(live: &Path) {
    fs::create_dir_all(live.join("a/b/c")).unwrap();
    fs::write(live.join("a/b/note"), "first").unwrap();
    fs::write(live.join("empty"), "").unwrap();
    fs::write(live.join("large"), noise((5 << 20) + 77, 1)).unwrap();
    fs::write(live.join("zeros"), vec![0; 3 << 20]).unwrap();
    for number in 0..600 {
        fs::write(
            live.join(format!("a/b/c/{number}")),
            format!("it is {number}"),
        )
        .unwrap();
    }
    fs::hard_link(live.join("a/b/note"), live.join("same")).unwrap();
    fs::hard_link(live.join("a/b/note"), live.join("a/same too")).unwrap();
    symlink("/etc/passwd", live.join("out")).unwrap();
    symlink("nowhere", live.join("a/dangling")).unwrap();
    fs::hard_link(live.join("out"), live.join("out too")).unwrap();
    mkfifoat(rustix::fs::CWD, live.join("fifo"), Mode::RUSR).unwrap();
    for odd in [
        &b"\xff\xfe"[..],
        b"new\nline",
        b" ",
        b"-rf",
        b"\\",
        b"...",
        &[b'x'; 255],
    ] {
        fs::write(live.join(name(odd)), odd).unwrap();
    }
    let mut sparse = File::create(live.join("sparse")).unwrap();
    for at in [3 << 20, (7 << 20) + 12345, 40 << 20] {
        sparse.seek(SeekFrom::Start(at)).unwrap();
        sparse.write_all(b"here").unwrap();
    }
    sparse.set_len((64 << 20) + 5).unwrap();
    let user = |path: &str, attribute: &str, value: &[u8]| {
        setxattr(live.join(path), attribute, value, XattrFlags::empty()).unwrap();
    };
    user("a/b/note", "user.what", b"some");
    user("a/b", "user.folder", &[7; 1000]);
    fs::create_dir(live.join("closed")).unwrap();
    fs::write(live.join("closed/in"), "").unwrap();
    fs::set_permissions(live.join("closed"), Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(live.join("a"), Permissions::from_mode(0o2750)).unwrap();
    fs::write(live.join("tool"), "#!").unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    File::open(live.join("empty"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    if is_root() {
        for path in [
            live.to_owned(),
            live.join("a"),
            live.join("tool"),
            live.join("a/b/note"),
        ] {
            chown(path, Some(40_001), Some(40_002)).unwrap();
        }
        lchown(live.join("out"), Some(40_001), Some(40_001)).unwrap();
    }
    fs::set_permissions(live.join("tool"), Permissions::from_mode(0o6755)).unwrap();
}

#[test]
fn a_volume_arrives_as_it_was() {
    for ahead in [0, 1, 2] {
        let machines = Machines::new();
        fill(&machines.live());
        for _ in 0..ahead {
            machines.pass(SendPass::Ahead).unwrap();
        }
        let (sent, received, _) = machines.last();
        assert_eq!(sent.files, received.files);
        assert!(received.files > 600);
        assert!(machines.from.leftovers("live").is_empty());
        let blocks = fs::metadata(machines.data().join("sparse"))
            .unwrap()
            .blocks();
        assert!(blocks * 512 < 1 << 20, "its holes are {blocks} blocks");
        let left = fs::read_dir(machines.place()).unwrap();
        let mut left: Vec<_> = left
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["archive.json", "data", "index", "lock"]);
        let tree = machines.live();
        machines.unarchive();
        crate::machines::assert_same(&tree, &machines.to.live());
    }
}

#[test]
fn devices_and_sockets_are_left_out() {
    let machines = Machines::new();
    let live = machines.live();
    fs::write(live.join("note"), "").unwrap();
    let bound = UnixListener::bind(live.join("socket")).unwrap();
    let device = mknodat(
        rustix::fs::CWD,
        live.join("null"),
        rustix::fs::FileType::CharacterDevice,
        Mode::RUSR,
        rustix::fs::makedev(1, 3),
    );
    assert_eq!(device.is_ok(), is_root());
    let (sent, received, _) = machines.pass(SendPass::Last).unwrap();
    assert_eq!((sent.files, received.files), (1, 1));
    assert_eq!(fs::read_dir(machines.data()).unwrap().count(), 1);
    drop(bound);
}

#[test]
fn a_sandbox_that_never_ran_is_sent_as_nothing() {
    let machines = Machines::new();
    fs::remove_dir(machines.live()).unwrap();
    machines.pass(SendPass::Ahead).unwrap();
    let (_, received, _) = machines.pass(SendPass::Last).unwrap();
    assert!(received.whole);
    machines.unarchive();
    assert!(!machines.to.live().exists());
}

#[test]
fn a_deep_tree_and_a_huge_hole_take_neither_memory_nor_time() {
    let machines = Machines::new();
    let live = machines.live();
    let mut folder = rustix::fs::open(&live, rustix::fs::OFlags::PATH, Mode::empty()).unwrap();
    for _ in 0..3000 {
        rustix::fs::mkdirat(&folder, "down here", Mode::RWXU).unwrap();
        folder = rustix::fs::openat(
            &folder,
            "down here",
            rustix::fs::OFlags::PATH,
            Mode::empty(),
        )
        .unwrap();
    }
    rustix::fs::mknodat(
        &folder,
        "last",
        rustix::fs::FileType::RegularFile,
        Mode::RUSR,
        0,
    )
    .unwrap();
    File::create(live.join("hole"))
        .unwrap()
        .set_len(1 << 43)
        .unwrap();
    for pass in [SendPass::Ahead, SendPass::Last] {
        let (sent, received, bytes) = machines.pass(pass).unwrap();
        assert_eq!((sent.files, received.files, sent.read), (2, 2, 0));
        assert!(bytes < 3000 * 64, "{bytes}");
    }
    assert_eq!(
        fs::metadata(machines.data().join("hole")).unwrap().len(),
        1 << 43
    );
}

#[test]
fn it_becomes_the_volume_of_whoever_takes_it() {
    if !is_root() {
        return;
    }
    let machines = Machines::new();
    fill(&machines.live());
    machines.last();
    let theirs = machines.to.path().join("s2-live");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(40_002), Some(40_003)).unwrap();
    machines
        .to
        .volume("s2-live")
        .unarchive(&machines.archives(), &id(9))
        .unwrap();
    let owner = |name: &str| {
        let about = fs::symlink_metadata(theirs.join(name)).unwrap();
        (about.uid(), about.gid())
    };
    assert_eq!(owner(""), (40_002, 40_003));
    assert_eq!(owner("tool"), (40_002, 40_003));
    assert_eq!(owner("large"), (0, 0), "of somebody else inside");
    assert_eq!(
        fs::metadata(theirs.join("tool")).unwrap().mode() & 0o7777,
        0o6755
    );
    // Whoever sends it again finds that it is somebody's.
    let again = machines.pass(SendPass::Last);
    let refused = again.received.unwrap_err();
    assert!(
        matches!(refused, VolumeError::ArchiveElsewhere { .. }),
        "{refused}"
    );
    let told = again.sent.unwrap_err().to_string();
    assert!(told.contains("s2-live"), "{told}");
}

#[test]
fn what_was_put_away_here_is_not_overwritten() {
    let machines = Machines::new();
    fs::write(machines.live().join("note"), "theirs").unwrap();
    fs::create_dir(machines.to.live()).unwrap();
    fs::write(machines.to.live().join("note"), "ours").unwrap();
    machines
        .to
        .volume("live")
        .archive(&machines.archives(), None, &id(9))
        .unwrap();
    let passed = machines.pass(SendPass::Last);
    let refused = passed.received.unwrap_err();
    assert!(
        matches!(refused, VolumeError::ArchiveTaken { .. }),
        "{refused}"
    );
    assert!(matches!(
        passed.sent,
        Err(VolumeError::TransferRefused { .. })
    ));
    assert_eq!(text(machines.data().join("note")), "ours");
}

#[test]
fn a_machine_without_room_says_so_on_both_sides() {
    let mut machines = Machines::new();
    fs::write(machines.live().join("large"), vec![1; 4 << 20]).unwrap();
    let small = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "none"])
        .arg(small.path())
        .status();
    if !is_root() || !mounted.is_ok_and(|status| status.success()) {
        return;
    }
    let path = small.path().to_owned();
    machines.archives = small;
    for pass in [SendPass::Ahead, SendPass::Last] {
        let passed = machines.pass(pass);
        assert_eq!(passed.received.unwrap_err().code(), "no_room");
        let told = passed.sent.unwrap_err();
        assert_eq!(told.code(), "no_room", "{told}");
    }
    std::process::Command::new("umount")
        .arg(path)
        .status()
        .unwrap();
}
