//! Trees that somebody made to be copied wrongly.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id, is_root, listing, text};
use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags, XattrFlags};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use volumes::{Freezer, NoFreezer, Reason, VolumeError};

#[test]
fn links_lead_nowhere() {
    let folder = Folder::new();
    for (name, leads_to) in [
        ("root", "/"),
        ("up", "../.."),
        ("self", "self"),
        ("gone", "x/y"),
    ] {
        symlink(leads_to, folder.live().join(name)).unwrap();
    }
    let made = folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    let copy = folder.data("live", &id(1));
    assert_eq!((made.files, made.left_out), (4, 0));
    assert_eq!(fs::read_link(copy.join("root")).unwrap(), Path::new("/"));
    assert_eq!(listing(&copy), listing(&folder.live()));
}

#[test]
fn a_volume_that_is_a_link_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    symlink("elsewhere", folder.path().join("dev")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for name in ["dev", "file"] {
        let volume = folder.volume(name);
        let error = volume
            .snapshot(&id(1), Reason::Asked, &NoFreezer)
            .unwrap_err();
        assert!(matches!(error, VolumeError::NotAFolder { .. }), "{error}");
    }
    folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    let error = folder
        .volume("dev")
        .replace(&folder.volume("live"), &id(1), &id(2))
        .unwrap_err();
    assert!(matches!(error, VolumeError::NotAFolder { .. }), "{error}");
}

/// Whether a name or a file's text anywhere in the tree has this in it.
fn has(tree: &Path, secret: &str) -> bool {
    fs::read_dir(tree).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        path.file_name().unwrap().to_string_lossy().contains(secret)
            || (kind.is_dir() && has(&path, secret))
            || (kind.is_file() && text(&path).contains(secret))
    })
}

/// Holds nothing still, and does not say so.
struct Blind;

impl Freezer for Blind {
    fn freeze(&self) -> io::Result<()> {
        Ok(())
    }

    fn thaw(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Names, and what takes their place: a link to a folder, one to a file, a FIFO.
fn make_swaps(live: &Path, outside: &Path) -> Vec<[PathBuf; 2]> {
    let mut pairs = Vec::new();
    for number in 0..20 {
        let pair = |name: &str| {
            let one = live.join(format!("{name}-{number}"));
            [one.clone(), one.with_extension("other")]
        };
        let [one, other] = pair("folder");
        fs::create_dir(&one).unwrap();
        fs::write(one.join("file"), "mine").unwrap();
        symlink(outside, &other).unwrap();
        pairs.push([one, other]);
        let [one, other] = pair("file");
        fs::write(&one, "mine").unwrap();
        symlink(outside.join("secret"), &other).unwrap();
        pairs.push([one, other]);
        let [one, other] = pair("pipe");
        fs::write(&one, "mine").unwrap();
        rustix::fs::mkfifoat(CWD, &other, Mode::RWXU).unwrap();
        pairs.push([one, other]);
    }
    pairs
}

#[test]
fn what_is_swapped_for_a_link_at_full_speed_leads_nowhere() {
    let folder = Folder::new();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    let pairs = make_swaps(&folder.live(), &outside);
    // Enough for two passes.
    fs::write(folder.live().join("much"), vec![b'x'; 5 << 20]).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for [one, other] in &pairs {
                    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
                }
            }
        });
        let volume = folder.volume("live");
        let mut made = 0;
        for number in 0..40 {
            let freezer: &dyn Freezer = if number % 2 == 0 { &NoFreezer } else { &Blind };
            match volume.snapshot(&id(number), Reason::Asked, freezer) {
                Ok(_) => {
                    made += 1;
                    assert!(!has(&folder.data("live", &id(number)), "secret"));
                    volume.remove(&id(number)).unwrap();
                }
                Err(VolumeError::Changing { .. }) => {}
                Err(other) => panic!("{other}"),
            }
            assert!(folder.leftovers("live").is_empty());
        }
        done.store(true, Ordering::Relaxed);
        assert!(made > 0);
    });
}

#[test]
fn devices_and_sockets_are_left_out_and_counted() {
    let folder = Folder::new();
    let live = folder.live();
    rustix::fs::mkfifoat(CWD, live.join("fifo"), Mode::RUSR | Mode::WUSR).unwrap();
    let _socket = UnixListener::bind(live.join("socket")).unwrap();
    let mut left_out = 1;
    if is_root() {
        let null = rustix::fs::makedev(1, 3);
        rustix::fs::mknodat(
            CWD,
            live.join("null"),
            FileType::CharacterDevice,
            Mode::RWXU,
            null,
        )
        .unwrap();
        left_out += 1;
    }
    let made = folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    assert_eq!((made.files, made.left_out), (1, left_out));
    let copies = fs::read_dir(folder.data("live", &id(1))).unwrap();
    let names: Vec<_> = copies.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["fifo"]);
}

#[test]
fn names_may_have_any_bytes() {
    let folder = Folder::new();
    let long = [b'x'; 255];
    let names: [&[u8]; 5] = [b"a\nb", b"\xff\xfe", b"...", b"-rf *", &long];
    for name in names {
        let path = folder.live().join(OsStr::from_bytes(name));
        fs::create_dir(&path).unwrap();
        fs::write(path.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    assert_eq!(
        listing(&folder.data("live", &id(1))),
        listing(&folder.live())
    );
    folder.volume("live").remove(&id(1)).unwrap();
    assert!(folder.leftovers("live").is_empty());
}

#[test]
fn hard_links_stay_hard_links_also_as_many_as_the_file_system_has() {
    let folder = Folder::new();
    let live = folder.live();
    fs::write(live.join("0"), "once").unwrap();
    fs::create_dir(live.join("more")).unwrap();
    // ext4 has 65,000, and btrfs 65,535.
    for number in 1..66_000 {
        if fs::hard_link(live.join("0"), live.join(format!("more/{number}"))).is_err() {
            break;
        }
    }
    let many = live.join("0").metadata().unwrap().nlink();
    let made = folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    assert_eq!((made.files, made.bytes), (many, 4));
    let copy = folder.data("live", &id(1)).join("0");
    assert_eq!(copy.metadata().unwrap().nlink(), many);
}

#[test]
fn a_tree_may_be_deeper_than_a_path_is_long() {
    let folder = Folder::new();
    let name = "deep".repeat(50);
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = rustix::fs::open(folder.live(), flags, Mode::empty()).unwrap();
    for _ in 0..1500 {
        rustix::fs::mkdirat(&here, &name, Mode::RWXU).unwrap();
        here = rustix::fs::openat(&here, &name, flags, Mode::empty()).unwrap();
    }
    rustix::fs::symlinkat("the end", &here, "end").unwrap();
    let volume = folder.volume("live");
    // On a thread, whose stack is small.
    thread::scope(|scope| {
        let work = || {
            let made = volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
            assert_eq!(made.files, 1);
            volume.replace(&volume, &id(1), &id(2)).unwrap();
            for number in [1, 2] {
                volume.remove(&id(number)).unwrap();
            }
        };
        let thread = thread::Builder::new().stack_size(256 * 1024);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap();
    });
    let mut depth = 0;
    let mut here = rustix::fs::open(folder.live(), flags, Mode::empty()).unwrap();
    while let Ok(below) = rustix::fs::openat(&here, &name, flags, Mode::empty()) {
        here = below;
        depth += 1;
    }
    assert_eq!(depth, 1500);
    assert_eq!(
        rustix::fs::readlinkat(&here, "end", Vec::new())
            .unwrap()
            .to_bytes(),
        b"the end"
    );
}

#[test]
fn holes_stay_holes() {
    let folder = Folder::new();
    let path = folder.live().join("sparse");
    let file = fs::File::create(&path).unwrap();
    file.set_len(100 << 30).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"in the midst", 50 << 30).unwrap();
    let made = folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    assert!(made.bytes < 1 << 20, "{made:?}");
    let copy = folder.data("live", &id(1)).join("sparse");
    let metadata = copy.metadata().unwrap();
    assert_eq!(metadata.size(), 100 << 30);
    assert!(metadata.blocks() * 512 < 1 << 20);
    let mut read = [0; 12];
    let copy = fs::File::open(copy).unwrap();
    std::os::unix::fs::FileExt::read_exact_at(&copy, &mut read, 50 << 30).unwrap();
    assert_eq!(&read, b"in the midst");
}

#[test]
fn a_file_that_grows_and_shrinks_is_copied_all_the_same() {
    let folder = Folder::new();
    let path = folder.live().join("file");
    fs::write(&path, vec![1; 1 << 20]).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let file = fs::File::options().write(true).open(&path).unwrap();
            while !done.load(Ordering::Relaxed) {
                file.set_len(0).unwrap();
                std::os::unix::fs::FileExt::write_all_at(&file, &vec![1; 3 << 20], 0).unwrap();
            }
        });
        let volume = folder.volume("live");
        for number in 0..50 {
            volume
                .snapshot(&id(number), Reason::Asked, &NoFreezer)
                .unwrap();
            let copy = folder.data("live", &id(number)).join("file");
            assert!(copy.metadata().unwrap().size() <= 3 << 20);
            volume.remove(&id(number)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn what_cannot_be_read_is_not_left_out_in_silence() {
    let folder = Folder::new();
    let path = folder.live().join("closed");
    fs::write(&path, "closed").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    let made = folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer);
    if is_root() {
        made.unwrap();
        assert_eq!(
            listing(&folder.data("live", &id(1))),
            listing(&folder.live())
        );
    } else {
        let error = made.unwrap_err().to_string();
        assert!(error.starts_with("cannot read live/closed: "), "{error}");
        assert!(folder.leftovers("live").is_empty());
    }
}

#[test]
fn modes_and_attributes_are_kept_and_not_inherited() {
    let folder = Folder::new();
    let live = folder.live();
    fs::create_dir(live.join("shared")).unwrap();
    fs::write(live.join("shared/file"), "x").unwrap();
    fs::create_dir(live.join("shared/sub")).unwrap();
    fs::write(live.join("setuid"), "x").unwrap();
    fs::set_permissions(live.join("setuid"), fs::Permissions::from_mode(0o6755)).unwrap();
    let set = |path: &str, name: &str, value: &[u8]| {
        rustix::fs::setxattr(live.join(path), name, value, XattrFlags::empty()).unwrap();
    };
    set("shared/file", "user.note", b"kept");
    set("shared", "user.long", &[7; 2000]);
    // Of a user of its own, and for all that is made in there (acl(5), as the kernel has it).
    let acl = |user: u32| {
        let entries = [
            (1u16, 7u16, u32::MAX),
            (2, 6, user),
            (4, 5, u32::MAX),
            (16, 7, u32::MAX),
            (32, 0, u32::MAX),
        ];
        let mut bytes = 2u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(permissions.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        bytes
    };
    set("shared", "system.posix_acl_default", &acl(4321));
    set("shared/sub", "system.posix_acl_access", &acl(1234));
    fs::set_permissions(live.join("shared"), fs::Permissions::from_mode(0o2570)).unwrap();
    folder
        .volume("live")
        .snapshot(&id(1), Reason::Asked, &NoFreezer)
        .unwrap();
    let copy = folder.data("live", &id(1));
    assert_eq!(listing(&copy), listing(&live));
    for (path, name, there) in [
        ("shared/file", "user.note", true),
        ("shared", "user.long", true),
        ("shared", "system.posix_acl_default", true),
        ("shared/sub", "system.posix_acl_access", true),
        ("shared/sub", "system.posix_acl_default", false),
        ("shared/file", "system.posix_acl_access", false),
    ] {
        let get = |tree: &Path| {
            let mut value = [0; 4096];
            let length = rustix::fs::getxattr(tree.join(path), name, &mut value).ok();
            length.map(|length| value[..length].to_vec())
        };
        assert_eq!(get(&copy).is_some(), there, "{path} {name}");
        assert_eq!(get(&copy), get(&live), "{path} {name}");
    }
}

#[test]
fn what_cannot_be_removed_is_in_nobodys_way() {
    let folder = Folder::new();
    let volume = folder.volume("live");
    let file = folder.live().join("file");
    fs::write(&file, "x").unwrap();
    volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
    let chattr = |flag: &str, file: &Path| Command::new("chattr").arg(flag).arg(file).status();
    // Only root can do that, and not everywhere; a read-only subvolume of btrfs is such, too.
    if !chattr("+i", &file).is_ok_and(|status| status.success()) {
        return;
    }
    volume.replace(&volume, &id(1), &id(2)).unwrap();
    volume.remove(&id(2)).unwrap_err();
    volume.recover().unwrap();
    let left: Vec<_> = volume
        .snapshots()
        .unwrap()
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(left, [id(1)]);
    let gone = folder.snapshots("live").join(format!("{}.gone", id(2)));
    chattr("-i", &gone.join("data/file")).unwrap();
    volume.recover().unwrap();
    assert!(folder.leftovers("live").is_empty());
}
