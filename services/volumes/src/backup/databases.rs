//! The `SQLite` databases in a backup, each checked on a copy for that alone.

use super::{Backup, Check, Database, Older};
use crate::Result;
use crate::contents::Failed;
use crate::error::VolumeError;
use crate::files::{Inode, open_folder, own_folder, stat};
use crate::names::{Names, Reader};
use crate::room::Room;
use crate::take::Part;
use crate::trail::Trail;
use crate::volume::Store;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Gid, Mode, OFlags, SeekFrom, Stat, Uid, fchown, fstat, openat, seek};
use rustix::io::{Errno, pread, write};
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The folder for the copy, beside the backups: who checks as another user comes to it.
const SCRATCH: &str = "check";
const COPY: &str = "database";
/// So many are checked; a volume that is full of them is no reason to be at it for hours.
const MOST: usize = 1000;
const TIME: Duration = Duration::from_mins(30);
/// Who has what belongs to root checked: nobody.
const NOBODY: u32 = 65_534;
/// Longer paths are told in part, and say nothing for sure.
const LONGEST_PATH: usize = 512;

pub(super) struct Databases<'a> {
    store: &'a Store,
    part: &'a Part,
    check: &'a dyn Check,
    volume: &'a str,
    owner: (u32, u32),
    until: Instant,
    found: Vec<Database>,
    more: bool,
}

impl<'a> Databases<'a> {
    pub(super) fn new(
        store: &'a Store,
        part: &'a Part,
        check: &'a dyn Check,
        volume: &'a str,
    ) -> Result<Self> {
        let root =
            fstat(&part.data).map_err(|error| VolumeError::io("look at", &part.path, error))?;
        let owner = match (root.st_uid, root.st_gid) {
            (0, _) | (_, 0) => (NOBODY, NOBODY),
            owner => owner,
        };
        Ok(Self {
            store,
            part,
            check,
            volume,
            owner,
            until: Instant::now() + TIME,
            found: Vec::new(),
            more: false,
        })
    }

    /// Checks all that are in the copy, and those that the backup before had as well.
    pub(super) fn check(
        mut self,
        before: Option<&Backup>,
        older: impl Fn(&Backup) -> Result<Older>,
    ) -> Result<Vec<Database>> {
        let known: HashMap<&str, bool> = before
            .iter()
            .flat_map(|before| &before.databases)
            .map(|it| (it.file.as_str(), it.fault.is_none()))
            .collect();
        let mut older = before.map(older).transpose()?;
        let done = self.walk(&known, &mut older);
        self.store.discard(SCRATCH)?;
        done?;
        if self.more {
            // No file has that name.
            self.found.push(Database {
                file: "/".to_owned(),
                fault: Some(format!(
                    "has more than {MOST} databases, and the others aren't checked"
                )),
            });
        }
        Ok(self.found)
    }

    fn walk(&mut self, known: &HashMap<&str, bool>, older: &mut Option<Older>) -> Result<()> {
        let path = &self.part.path;
        let failed = |error| VolumeError::io("look through", path, error);
        let mut trail = Trail::new(self.part.copy_of_data()?).map_err(failed)?;
        let mut levels = vec![(CString::default(), Names::default())];
        let mut entered = true;
        while let Some((_, folders)) = levels.last_mut() {
            if entered {
                *folders = names(trail.here(), FileType::Directory).map_err(failed)?;
                let mut files = names(trail.here(), FileType::RegularFile).map_err(failed)?;
                while let Some(name) = files.pop() {
                    let file = said(levels.iter().skip(1).map(|it| &it.0), &name);
                    self.file(trail.here(), &name, file, known, older.as_ref())?;
                }
                entered = false;
            } else if let Some(name) = folders.pop() {
                let folder = open_folder(trail.here(), &name).map_err(failed)?;
                let inode = Inode::of(&fstat(&folder).map_err(failed)?);
                trail.enter(folder, inode);
                if let Some(older) = older {
                    older.enter(&name).map_err(failed)?;
                }
                levels.push((name, Names::default()));
                entered = true;
            } else {
                levels.pop();
                trail.back().map_err(failed)?;
                if let Some(older) = older {
                    older.back().map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        file: String,
        known: &HashMap<&str, bool>,
        older: Option<&Older>,
    ) -> Result<()> {
        let was = known.get(file.as_str()).copied();
        let fault = match database(folder, name) {
            Ok(Some(stat)) => {
                // The same file as in the backup before, where it was found whole.
                let same = older.and_then(|older| older.file(name));
                let same = same.is_some_and(|it| it.st_ino == stat.st_ino);
                let alone = beside(folder, name).next().is_none();
                if was == Some(true) && same && alone && file.len() < LONGEST_PATH {
                    None
                } else if self.found.len() >= MOST {
                    self.more = true;
                    return Ok(());
                } else {
                    self.whole(folder, name)?.err()
                }
            }
            Ok(None) if was.is_some() => Some("was a database, and is none now".to_owned()),
            Ok(None) => return Ok(()),
            Err(error) => Some(format!("can't be read: {error}")),
        };
        self.found.push(Database { file, fault });
        Ok(())
    }

    /// What is wrong with a database, if it is not whole.
    fn whole(&self, folder: BorrowedFd<'_>, name: &CStr) -> Result<Result<(), String>> {
        if Instant::now() >= self.until {
            let minutes = TIME.as_secs() / 60;
            return Ok(Err(format!("isn't checked: others took {minutes} minutes")));
        }
        self.store.discard(SCRATCH)?;
        let scratch = own_folder(self.store.fd(), SCRATCH, &self.store.path)?;
        let copied = self.copy(scratch.as_fd(), folder, name);
        if let Err(error) = copied {
            return Ok(Err(format!("isn't checked: {error}")));
        }
        let path = self.store.at(&format!("{SCRATCH}/{COPY}"));
        Ok(self.check.check(path.as_ref(), self.owner))
    }

    fn copy(&self, scratch: BorrowedFd<'_>, folder: BorrowedFd<'_>, name: &CStr) -> Result<()> {
        let room = Room::new(self.store.fd(), self.volume, &self.store.path);
        self.copy_one(scratch, (folder, name), COPY, &room)?;
        for (suffix, name) in beside(folder, name) {
            let copy =
                self.copy_one(scratch, (folder, &name), &format!("{COPY}{suffix}"), &room)?;
            if suffix == JOURNAL {
                self.end(&copy)?;
            }
        }
        self.give(scratch)
    }

    fn copy_one(
        &self,
        scratch: BorrowedFd<'_>,
        (folder, name): (BorrowedFd<'_>, &CStr),
        copy: &str,
        room: &Room<'_>,
    ) -> Result<OwnedFd> {
        let failed = |error| VolumeError::io("copy", self.store.at(SCRATCH), error);
        let source = open(folder, name).map_err(failed)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = openat(scratch, copy, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let about = fstat(&source).map_err(failed)?;
        let size = u64::try_from(about.st_size).unwrap_or(0);
        room.take(crate::measure::data(&about), self.part.sharing.possible)?;
        let filled = self
            .part
            .sharing
            .fill(source.as_fd(), target.as_fd(), size, &mut |bytes| {
                room.charge(bytes)
            });
        filled.map_err(|error| match error {
            Failed::Stopped(error) => error,
            Failed::Errno(error) => {
                room.told(VolumeError::io("copy", self.store.at(SCRATCH), error))
            }
        })?;
        self.give(target.as_fd())?;
        Ok(target)
    }

    /// A journal may end with the name of another file, which `SQLite` then looks at, and removes
    /// if it likes: any file that whoever wrote the journal has named. With this it has none.
    fn end(&self, journal: &OwnedFd) -> Result<()> {
        seek(journal, SeekFrom::End(0))
            .and_then(|_| write(journal, &[0; 16]))
            .map(|_| ())
            .map_err(|error| VolumeError::io("write", self.store.at(SCRATCH), error))
    }

    fn give(&self, what: BorrowedFd<'_>) -> Result<()> {
        if !self.check.is_as_owner() {
            return Ok(());
        }
        let (user, group) = (Uid::from_raw(self.owner.0), Gid::from_raw(self.owner.1));
        fchown(what, Some(user), Some(group))
            .map_err(|error| VolumeError::io("write", self.store.at(SCRATCH), error))
    }
}

const JOURNAL: &str = "-journal";

/// What is beside a database and belongs to it: what is written already, and not in it yet.
fn beside(folder: BorrowedFd<'_>, name: &CStr) -> impl Iterator<Item = (&'static str, CString)> {
    ["-wal", JOURNAL].into_iter().filter_map(move |suffix| {
        let beside = CString::new([name.to_bytes(), suffix.as_bytes()].concat()).ok()?;
        let about = stat(folder, &beside).ok()?;
        let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        (is_file && about.st_size > 0).then_some((suffix, beside))
    })
}

fn open(folder: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty())
}

/// What it is, if it begins as a database.
fn database(folder: BorrowedFd<'_>, name: &CStr) -> Result<Option<Stat>, Errno> {
    let file = open(folder, name)?;
    let mut begins = [0; MAGIC.len()];
    let read = pread(&file, &mut begins, 0)?;
    if read < MAGIC.len() || begins != *MAGIC {
        return Ok(None);
    }
    fstat(&file).map(Some)
}

/// The names of that kind in a folder.
fn names(folder: BorrowedFd<'_>, kind: FileType) -> Result<Names, Errno> {
    let mut names = Names::default();
    Reader::default().each(open_folder(folder, ".")?, |name, _| {
        let is = FileType::from_raw_mode(stat(folder, name)?.st_mode);
        if is == kind {
            names.push(name);
        }
        Ok::<(), Errno>(())
    })?;
    Ok(names)
}

/// A path, for people.
fn said<'a>(folders: impl Iterator<Item = &'a CString>, name: &CStr) -> String {
    let mut path = String::new();
    for folder in folders {
        if path.len() > LONGEST_PATH {
            path.push_str("…/");
            break;
        }
        path.push_str(&folder.to_string_lossy());
        path.push('/');
    }
    path.push_str(&name.to_string_lossy());
    path.escape_debug().to_string()
}
