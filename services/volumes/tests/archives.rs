//! Volumes that are put away and brought back: wholly in one place at each moment, and whoever has
//! the volume's name meanwhile finds nothing.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use common::{Folder, id, is_root, listing, random, text};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use volumes::{Archives, Backup, Backups, Check, Database, Keep, NoFreezer, Reason, VolumeError};

const PLACE: &str = "ARCHIVED_PLACE";
const INTO: &str = "ARCHIVED_INTO";
const FILES: usize = 30;

/// A volume, and the folder for its archive: on the same file system, or on another.
struct Host {
    volumes: Folder,
    into: TempDir,
}

impl Host {
    fn new(apart: bool) -> Self {
        let host = Self {
            volumes: Folder::new(),
            into: if apart {
                tempfile::tempdir_in("/dev/shm").unwrap()
            } else {
                tempfile::tempdir().unwrap()
            },
        };
        let device = |path: &Path| fs::metadata(path).unwrap().dev();
        assert_eq!(
            device(host.volumes.path()) != device(host.into.path()),
            apart,
            "/dev/shm is to be another file system than the one for temporary files"
        );
        fs::create_dir_all(host.live().join("more")).unwrap();
        for file in 0..FILES {
            fs::write(host.live().join(format!("more/{file}")), "theirs").unwrap();
        }
        symlink("/etc/passwd", host.live().join("link")).unwrap();
        let volume = host.volumes.volume("live");
        volume.snapshot(&id(0), Reason::Asked, &NoFreezer).unwrap();
        host
    }

    fn live(&self) -> PathBuf {
        self.volumes.live()
    }

    fn archives(&self) -> Archives {
        Archives::open(self.into.path()).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.into.path().join(id(9).as_str()).join("live/data")
    }

    fn archive(&self) -> volumes::Archived {
        let volume = self.volumes.volume("live");
        volume.archive(&self.archives(), None, &id(9)).unwrap()
    }

    fn unarchive(&self) -> volumes::Archived {
        let volume = self.volumes.volume("live");
        volume.unarchive(&self.archives(), &id(9)).unwrap()
    }

    /// Where it wholly is.
    fn place(&self) -> &'static str {
        let is_whole = |tree: &Path| {
            let files = fs::read_dir(tree.join("more")).map_or(0, |files| {
                files
                    .map(|file| assert_eq!(text(file.unwrap().path()), "theirs"))
                    .count()
            });
            files == FILES && tree.join("link").is_symlink()
        };
        match (is_whole(&self.live()), is_whole(&self.data())) {
            (true, false) => "volume",
            (false, true) => "archive",
            (true, true) => "both",
            (false, false) => "nowhere",
        }
    }
}

#[test]
fn a_volume_goes_and_comes_back_as_it_was() {
    for apart in [false, true] {
        let host = Host::new(apart);
        let before = listing(&host.live());
        let said = host.archive();
        assert_eq!((said.files, &*said.sandbox), (31, "live"));
        assert!(said.bytes > 0);
        assert_eq!(listing(&host.data()), before);
        assert!(!host.live().exists());
        let left = fs::read_dir(host.volumes.snapshots("live")).unwrap();
        assert_eq!(left.count(), 1, "the lock alone");
        // Whoever has the name meanwhile is not touched by the same order.
        fs::create_dir(host.live()).unwrap();
        fs::write(host.live().join("next"), "").unwrap();
        let volume = host.volumes.volume("live");
        volume.snapshot(&id(1), Reason::Asked, &NoFreezer).unwrap();
        assert_eq!(host.archive(), said);
        assert!(host.live().join("next").exists());
        assert_eq!(volume.snapshots().unwrap().len(), 1);
        let refused = volume.unarchive(&host.archives(), &id(9)).unwrap_err();
        assert!(matches!(refused, VolumeError::NotEmpty { .. }), "{refused}");
        fs::remove_file(host.live().join("next")).unwrap();
        assert_eq!(host.unarchive(), said);
        assert_eq!(listing(&host.live()), before);
        assert!(!host.data().exists());
        // Once more is as once; and what was written since is nobody's to take.
        fs::write(host.live().join("new"), "").unwrap();
        assert_eq!(host.unarchive(), said);
        assert!(host.live().join("new").exists());
        host.archives().discard(&id(9)).unwrap();
        host.archives().discard(&id(9)).unwrap();
        assert_eq!(fs::read_dir(host.into.path()).unwrap().count(), 0);
        let gone = volume.unarchive(&host.archives(), &id(9)).unwrap_err();
        assert!(matches!(gone, VolumeError::NoArchive { .. }), "{gone}");
    }
}

#[test]
fn what_never_ran_is_put_away_as_nothing() {
    let host = Host::new(false);
    let never = host.volumes.volume("w-dev");
    let said = never.archive(&host.archives(), None, &id(9)).unwrap();
    assert_eq!((said.bytes, said.files), (0, 0));
    assert_eq!(never.unarchive(&host.archives(), &id(9)).unwrap(), said);
    assert!(!host.volumes.path().join("w-dev").exists());
}

#[test]
fn one_that_came_back_half_way_is_put_away_again() {
    for apart in [false, true] {
        let host = Host::new(apart);
        host.archive();
        host.unarchive();
        assert_eq!(host.place(), "volume");
        host.archive();
        assert_eq!(host.place(), "archive");
        assert!(!host.live().exists());
    }
}

#[test]
fn another_gets_it_as_their_own_and_the_first_does_not() {
    if !is_root() {
        return;
    }
    for apart in [false, true] {
        let host = Host::new(apart);
        let tool = host.live().join("more/0");
        for path in [host.live(), host.live().join("more"), tool.clone()] {
            chown(path, Some(40_001), Some(40_001)).unwrap();
        }
        lchown(host.live().join("link"), Some(40_001), Some(40_001)).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o4755)).unwrap();
        let passwd = fs::metadata("/etc/passwd").unwrap().uid();
        host.archive();
        let theirs = host.volumes.path().join("s2-live");
        fs::create_dir(&theirs).unwrap();
        chown(&theirs, Some(40_002), Some(40_002)).unwrap();
        let volume = host.volumes.volume("s2-live");
        volume.unarchive(&host.archives(), &id(9)).unwrap();
        let of = |name: &str| {
            let about = fs::symlink_metadata(theirs.join(name)).unwrap();
            (about.uid(), about.gid())
        };
        for name in ["", "more", "more/0", "link"] {
            assert_eq!(of(name), (40_002, 40_002), "{name}");
        }
        assert_eq!(of("more/1"), (0, 0), "of somebody else inside");
        let mode = fs::metadata(theirs.join("more/0")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o4755);
        assert_eq!(fs::metadata("/etc/passwd").unwrap().uid(), passwd);
        let volume = host.volumes.volume("live");
        let refused = volume.unarchive(&host.archives(), &id(9)).unwrap_err();
        assert!(
            matches!(refused, VolumeError::ArchiveElsewhere { .. }),
            "{refused}"
        );
    }
}

struct Whole;

impl Check for Whole {
    fn check(&self, _: &Path, _: (u32, u32)) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn backups_go_out_of_sight_and_come_back_or_go() {
    let host = Host::new(false);
    let folder = tempfile::tempdir().unwrap();
    let backups = Backups::open(&folder.path().join("live")).unwrap();
    let volume = host.volumes.volume("live");
    let keep = Keep::default();
    let back_up = |number| -> Backup {
        volume
            .back_up(&backups, &id(number), &keep, &NoFreezer, &Whole)
            .unwrap()
    };
    let first = back_up(2);
    assert_eq!(first.databases, Vec::<Database>::new());
    volume
        .archive(&host.archives(), Some(&backups), &id(9))
        .unwrap();
    assert!(backups.list().unwrap().is_empty());
    assert!(!folder.path().join("live/latest").is_symlink());
    fs::create_dir(host.live()).unwrap();
    back_up(3);
    backups.bring_back(&id(9)).unwrap();
    let ids: Vec<_> = backups
        .list()
        .unwrap()
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(ids, [id(2), id(3)]);
    backups.put_away(&id(9)).unwrap();
    backups.discard_archived(&id(9)).unwrap();
    backups.bring_back(&id(9)).unwrap();
    assert!(backups.list().unwrap().is_empty());
}

#[test]
fn a_copy_for_which_there_is_no_room_changes_nothing() {
    let host = Host::new(false);
    let small = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "none"])
        .arg(small.path())
        .status();
    if !is_root() || !mounted.is_ok_and(|status| status.success()) {
        return;
    }
    fs::write(host.live().join("large"), vec![1; 1 << 20]).unwrap();
    let before = listing(&host.live());
    let archives = Archives::open(small.path()).unwrap();
    let refused = host.volumes.volume("live").archive(&archives, None, &id(9));
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "no_room", "{refused}");
    assert_eq!(listing(&host.live()), before);
    assert_eq!(host.volumes.volume("live").snapshots().unwrap().len(), 1);
    // With room the same order is good.
    fs::remove_file(host.live().join("large")).unwrap();
    host.volumes
        .volume("live")
        .archive(&archives, None, &id(9))
        .unwrap();
    drop(archives);
    Command::new("umount").arg(small.path()).status().unwrap();
}

/// What is killed: puts it away, and brings it back.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    let volume = volumes::Volume::open(Path::new(&place), "live").unwrap();
    let archives = Archives::open(Path::new(&std::env::var(INTO).unwrap())).unwrap();
    volume.archive(&archives, None, &id(9)).unwrap();
    volume.unarchive(&archives, &id(9)).unwrap();
}

/// Where it was when it was killed; whatever is ordered next is done, with every byte.
fn check(host: &Host, order: u64) -> String {
    let was = host.place();
    assert_ne!(was, "nowhere");
    if order == 0 {
        host.archive();
        assert_eq!(host.place(), "archive");
        assert!(!host.live().exists());
        assert!(host.volumes.leftovers("live").is_empty());
    }
    host.archive();
    host.unarchive();
    assert_eq!(host.place(), "volume");
    assert!(host.volumes.leftovers("live").is_empty());
    host.archives().discard(&id(9)).unwrap();
    assert_eq!(fs::read_dir(host.into.path()).unwrap().count(), 0);
    was.to_owned()
}

#[test]
fn whenever_it_is_killed_it_is_wholly_somewhere() {
    if std::env::var(PLACE).is_ok() {
        return;
    }
    let rounds = std::env::var("KILL_ROUNDS").map_or(40, |rounds| rounds.parse().unwrap());
    for apart in [false, true] {
        let run = |host: &Host| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child"])
                .env(PLACE, host.volumes.path())
                .env(INTO, host.into.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        let whole = Host::new(apart);
        let began = Instant::now();
        assert!(run(&whole).wait().unwrap().success());
        let mut long = began.elapsed();
        assert_eq!(check(&whole, 1), "volume");
        let mut seen = BTreeSet::new();
        // However slow the machine is just now: it is killed at many moments.
        for round in 0.. {
            if round >= rounds && seen.len() >= 2 {
                break;
            }
            let host = Host::new(apart);
            let mut child = run(&host);
            let micros = u64::try_from(long.as_micros()).unwrap();
            std::thread::sleep(Duration::from_micros(random(micros)));
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                long = (long * 9 / 10).max(Duration::from_millis(1));
            } else if random(8) == 0 {
                long = long * 10 / 9;
            }
            seen.insert(check(&host, random(2)));
        }
    }
}
