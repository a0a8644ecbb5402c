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
