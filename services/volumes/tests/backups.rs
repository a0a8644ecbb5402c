//! Backups: whole trees that share what did not change, with databases that are checked.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use rusqlite::Connection;
use std::cell::RefCell;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use volumes::{Backup, Backups, Check, Keep, NoFreezer, SnapshotId, Volume, VolumeError};

const ALL: Keep = Keep {
    last: 100,
    daily: 0,
};

struct Host {
    folder: TempDir,
    volume: Volume,
    backups: Backups,
    /// What was checked: which files lay there, and what was in the first.
    checked: RefCell<Vec<(Vec<String>, Vec<u8>)>>,
}

impl Check for Host {
    fn check(&self, database: &Path, _owner: (u32, u32)) -> Result<(), String> {
        let folder = fs::read_dir(database.parent().unwrap()).unwrap();
        let mut names: Vec<_> = folder
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let journal = database.with_file_name("database-journal");
        let seen = fs::read(journal).unwrap_or_default();
        self.checked.borrow_mut().push((names, seen));
        let database = Connection::open(database).map_err(|error| error.to_string())?;
        let verdict = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        match verdict {
            Ok::<String, _>(verdict) if verdict == "ok" => Ok(()),
            Ok(verdict) => Err(format!("is damaged: {verdict}")),
            Err(error) => Err(format!("is damaged: {error}")),
        }
    }
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        Self {
            volume: Volume::open(folder.path(), "live").unwrap(),
            backups: Backups::open(&folder.path().join("backups")).unwrap(),
            checked: RefCell::default(),
            folder,
        }
    }

    fn live(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    fn back_up(&self, number: u64, keep: Keep) -> Result<Backup, VolumeError> {
        self.volume
            .back_up(&self.backups, &id(number), &keep, &NoFreezer, self)
    }

    fn data(&self, number: u64) -> PathBuf {
        let backups = self.folder.path().join("backups");
        backups.join(id(number).as_str()).join("data")
    }

    fn ids(&self) -> Vec<SnapshotId> {
        let all = self.backups.list().unwrap();
        all.into_iter().map(|it| it.id).collect()
    }

    /// A file that has been as it is for a while.
    fn write(&self, name: &str, what: &str) {
        let path = self.live().join(name);
        fs::write(&path, what).unwrap();
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        let file = File::options().write(true).open(path).unwrap();
        file.set_times(FileTimes::new().set_modified(long_ago))
            .unwrap();
    }
}

fn id(number: u64) -> SnapshotId {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number);
    SnapshotId::new(at, 7)
}

fn inode(path: impl AsRef<Path>) -> u64 {
    path.as_ref().symlink_metadata().unwrap().ino()
}

#[test]
fn a_backup_is_the_whole_tree() {
    let host = Host::new();
    let live = host.live();
    fs::create_dir_all(live.join("a/b")).unwrap();
    host.write("a/b/note", "first");
    fs::hard_link(live.join("a/b/note"), live.join("same")).unwrap();
    symlink("/etc/passwd", live.join("out")).unwrap();
    fs::set_permissions(live.join("a"), fs::Permissions::from_mode(0o2750)).unwrap();
    fs::set_permissions(live.join("same"), fs::Permissions::from_mode(0o4711)).unwrap();
    let _ = std::os::unix::fs::chown(live.join("a"), Some(1234), Some(4321));
    let sparse = File::create(live.join("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    sparse.write_all_at(b"end", (1 << 40) - 3).unwrap();
    let made = host.back_up(1, ALL).unwrap();
    assert_eq!((made.files, made.new_bytes), (4, made.bytes));
    let copy = host.data(1);
    for name in ["a", "a/b", "a/b/note", "same", "out", "sparse"] {
        let known = |root: &Path| {
            let it = root.join(name).symlink_metadata().unwrap();
            let owner = (it.uid(), it.gid());
            (
                it.mode(),
                it.len().min(1 << 41),
                owner,
                it.mtime_nsec(),
                it.nlink(),
            )
        };
        assert_eq!(known(&copy), known(&live), "{name}");
    }
    assert_eq!(inode(copy.join("same")), inode(copy.join("a/b/note")));
    assert!(copy.join("sparse").metadata().unwrap().blocks() < 1000);
    assert_ne!(inode(copy.join("same")), inode(live.join("same")));
    let latest = host.folder.path().join("backups/latest");
    assert_eq!(fs::read_link(latest).unwrap(), Path::new(id(1).as_str()));
    // It was for this alone.
    assert!(host.volume.snapshots().unwrap().is_empty());
    let listed = host.backups.list().unwrap();
    assert_eq!((listed.len(), listed[0].at), (1, made.at));
}

#[test]
fn what_did_not_change_is_the_backups_before_and_nothing_else_is() {
    let host = Host::new();
    let live = host.live();
    fs::create_dir(live.join("sub")).unwrap();
    for name in ["sub/stays", "changes", "mode", "two", "goes"] {
        host.write(name, "first");
    }
    fs::hard_link(live.join("two"), live.join("names")).unwrap();
    // Right now: another write may leave its time stamp as it is.
    fs::write(live.join("just-now"), "first").unwrap();
    host.back_up(1, ALL).unwrap();

    host.write("changes", "other");
    fs::set_permissions(live.join("mode"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(live.join("goes")).unwrap();
    // Two files that were one.
    fs::remove_file(live.join("names")).unwrap();
    fs::write(live.join("names"), "first").unwrap();
    let modified = live.join("two").metadata().unwrap().modified().unwrap();
    let names = File::options()
        .write(true)
        .open(live.join("names"))
        .unwrap();
    names
        .set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    let second = host.back_up(2, ALL).unwrap();

    let of = |name: &str| [1, 2].map(|number| inode(host.data(number).join(name)));
    let [first, shared] = of("sub/stays");
    assert_eq!(first, shared);
    for name in ["changes", "mode", "just-now"] {
        let [first, other] = of(name);
        assert_ne!(first, other, "{name}");
    }
    let text = |number, name: &str| fs::read_to_string(host.data(number).join(name)).unwrap();
    assert_eq!(
        (text(1, "changes"), text(2, "changes")),
        ("first".into(), "other".into())
    );
    assert_ne!(
        inode(host.data(2).join("two")),
        inode(host.data(2).join("names"))
    );
    assert!(!host.data(2).join("goes").exists());
    assert!(second.new_bytes < second.bytes, "{second:?}");
    // None into the volume.
    for name in ["sub/stays", "changes", "mode", "two", "names"] {
        assert_eq!(live.join(name).metadata().unwrap().nlink(), 1, "{name}");
    }
    // What is removed takes nothing from the others.
    let keep = Keep { last: 1, daily: 0 };
    host.back_up(3, keep).unwrap();
    assert_eq!(host.ids(), [id(3)]);
    assert_eq!(text(3, "sub/stays"), "first");
}

#[test]
fn a_backup_becomes_a_snapshot_again() {
    let host = Host::new();
    let live = host.live();
    host.write("note", "first");
    let _ = std::os::unix::fs::chown(live.join("note"), Some(1234), Some(1234));
    host.back_up(1, ALL).unwrap();
    let made = host.back_up(2, ALL).unwrap();
    host.write("note", "second");
    let snapshot = host.volume.import(&host.backups, &id(2), &id(9)).unwrap();
    assert_eq!((snapshot.files, snapshot.bytes), (made.files, made.bytes));
    host.volume.replace(&host.volume, &id(9), &id(10)).unwrap();
    assert_eq!(fs::read_to_string(live.join("note")).unwrap(), "first");
    let note = live.join("note").metadata().unwrap();
    let copy = host.data(2).join("note").metadata().unwrap();
    assert_eq!((note.uid(), note.nlink()), (copy.uid(), 1));
    let again = host.volume.import(&host.backups, &id(2), &id(9));
    assert!(matches!(again, Err(VolumeError::Exists { .. })));
    let none = host.volume.import(&host.backups, &id(3), &id(11));
    assert!(matches!(none, Err(VolumeError::NoBackup { .. })));
    assert_eq!(none.unwrap_err().code(), "no_snapshot");
}

#[test]
fn a_damaged_database_fails_the_run_and_keeps_what_was_before() {
    let host = Host::new();
    let path = host.live().join("notes.db");
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch("CREATE TABLE notes(text); WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 9999) INSERT INTO notes SELECT hex(x) FROM n;")
        .unwrap();
    drop(database);
    host.write("other", "all else");
    let keep = Keep { last: 1, daily: 0 };
    let made = host.back_up(1, keep).unwrap();
    assert_eq!(made.databases.len(), 1);
    assert_eq!(made.databases[0].fault, None);
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0xff; 8192], 8192).unwrap();
    for number in 2..5 {
        let error = host.back_up(number, keep).unwrap_err();
        assert!(error.to_string().contains("notes.db is damaged"), "{error}");
        assert!(matches!(error, VolumeError::Damaged { .. }));
        assert_eq!(host.ids(), [id(1), id(number)]);
        assert!(host.data(number).join("other").exists());
    }
    // It is none any more, run after run, until it is gone.
    fs::write(&path, "no database").unwrap();
    for number in 5..7 {
        let error = host.back_up(number, keep).unwrap_err().to_string();
        assert!(
            error.contains("notes.db was a database, and is none now"),
            "{error}"
        );
    }
    fs::remove_file(&path).unwrap();
    host.back_up(7, keep).unwrap();
    assert_eq!(host.ids(), [id(6), id(7)]);
}

#[test]
fn what_belongs_to_a_database_is_checked_with_it_and_names_no_other_file() {
    let host = Host::new();
    let path = host.live().join("wal.db");
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = wal; CREATE TABLE notes(text); INSERT INTO notes VALUES (1);",
        )
        .unwrap();
    host.back_up(1, ALL).unwrap();
    let checked = host.checked.take();
    assert_eq!(checked.len(), 1);
    assert_eq!(checked[0].0, ["database", "database-wal"]);
    drop(database);

    // A journal that ends with the name of a file, as one does of a transaction of two databases.
    let victim = host.folder.path().join("victim");
    fs::write(&victim, "").unwrap();
    let name = victim.to_str().unwrap().as_bytes();
    let sum = name.iter().fold(0_u32, |sum, byte| sum + u32::from(*byte));
    let magic = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
    let mut journal = vec![0; 512];
    journal[..8].copy_from_slice(magic);
    journal[20..24].copy_from_slice(&512_u32.to_be_bytes());
    journal[24..28].copy_from_slice(&4096_u32.to_be_bytes());
    journal[16..20].copy_from_slice(&1_u32.to_be_bytes());
    journal.extend_from_slice(&[0, 0, 0, 2]);
    journal.extend_from_slice(name);
    journal.extend_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
    journal.extend_from_slice(&sum.to_be_bytes());
    journal.extend_from_slice(magic);
    let plain = host.live().join("plain.db");
    let database = Connection::open(&plain).unwrap();
    database.execute_batch("CREATE TABLE notes(text);").unwrap();
    drop(database);
    fs::write(host.live().join("plain.db-journal"), &journal).unwrap();
    let _ = host.back_up(2, ALL);
    let checked = host.checked.take();
    let (names, seen) = checked.iter().find(|it| !it.1.is_empty()).unwrap();
    assert_eq!(names, &["database", "database-journal"]);
    assert!(!seen.ends_with(magic));
    assert!(victim.exists());
    // The copy has it as it was.
    let copy = fs::read(host.data(2).join("plain.db-journal")).unwrap();
    assert_eq!(copy, journal);
}

#[test]
fn an_unchanged_database_is_not_checked_again() {
    let host = Host::new();
    let database = Connection::open(host.live().join("notes.db")).unwrap();
    database.execute_batch("CREATE TABLE notes(text);").unwrap();
    drop(database);
    let bytes = fs::read(host.live().join("notes.db")).unwrap();
    fs::write(host.live().join("notes.db"), bytes).unwrap();
    let file = File::options()
        .write(true)
        .open(host.live().join("notes.db"))
        .unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    file.set_times(FileTimes::new().set_modified(long_ago))
        .unwrap();
    for number in 1..4 {
        assert_eq!(host.back_up(number, ALL).unwrap().databases.len(), 1);
    }
    assert_eq!(host.checked.borrow().len(), 1);
}

#[test]
fn what_is_no_file_is_neither_opened_nor_followed() {
    let host = Host::new();
    let live = host.live();
    let outside = host.folder.path().join("outside.db");
    let database = Connection::open(&outside).unwrap();
    database.execute_batch("CREATE TABLE notes(text);").unwrap();
    drop(database);
    symlink(&outside, live.join("link.db")).unwrap();
    symlink(&outside, live.join("own.db-wal")).unwrap();
    let database = Connection::open(live.join("own.db")).unwrap();
    drop(database);
    fs::copy(&outside, live.join("own.db")).unwrap();
    symlink(host.folder.path(), live.join("folder")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        live.join("fifo.db"),
        rustix::fs::Mode::RWXU,
    )
    .unwrap();
    let made = host.back_up(1, ALL).unwrap();
    let names: Vec<_> = made.databases.iter().map(|it| &it.file).collect();
    assert_eq!(names, ["own.db"]);
    assert_eq!(host.checked.borrow()[0].0, ["database"]);
    assert!(host.data(1).join("folder").is_symlink());
}

#[test]
fn what_an_interrupted_backup_left_is_gone_after_the_next() {
    let host = Host::new();
    host.write("note", "first");
    host.volume
        .snapshot(&id(1), volumes::Reason::Backup, &NoFreezer)
        .unwrap();
    let left = host
        .folder
        .path()
        .join("backups")
        .join(format!("{}.part", id(1)));
    fs::create_dir_all(left.join("data/sub")).unwrap();
    // And one that had only to be removed.
    host.back_up(2, ALL).unwrap();
    assert!(host.volume.snapshots().unwrap().is_empty());
    host.volume
        .snapshot(&id(2), volumes::Reason::Backup, &NoFreezer)
        .unwrap();
    // What was asked for is not touched.
    host.volume
        .snapshot(&id(8), volumes::Reason::Asked, &NoFreezer)
        .unwrap();
    let clash = host.back_up(8, ALL);
    assert!(matches!(clash, Err(VolumeError::Exists { .. })));
    host.back_up(3, ALL).unwrap();
    assert!(!left.exists());
    assert_eq!(host.ids(), [id(2), id(3)]);
    let left: Vec<_> = host.volume.snapshots().unwrap();
    assert_eq!(left.iter().map(|it| &it.id).collect::<Vec<_>>(), [&id(8)]);
    let names = fs::read_dir(host.folder.path().join("backups")).unwrap();
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [id(2).as_str(), id(3).as_str(), "latest", "lock"]);
}

#[test]
fn what_was_made_while_the_clock_was_ahead_pushes_out_nothing_that_was_made_since() {
    let host = Host::new();
    host.write("note", "first");
    for number in [1, 2] {
        host.back_up(number, ALL).unwrap();
        let about = host.data(number).with_file_name("backup.json");
        let text = fs::read_to_string(&about).unwrap();
        let mut backup: Backup = serde_json::from_str(&text).unwrap();
        backup.at += 1_000_000_000_000;
        fs::write(about, serde_json::to_string(&backup).unwrap()).unwrap();
    }
    host.write("note", "second");
    host.back_up(3, ALL).unwrap();
    assert_eq!(host.ids(), [id(1), id(2), id(3)]);
    host.back_up(4, Keep { last: 2, daily: 0 }).unwrap();
    assert_eq!(host.ids(), [id(3), id(4)]);
    // It is the one before that it is compared with.
    let note = |number| inode(host.data(number).join("note"));
    assert_eq!(note(3), note(4));
}
