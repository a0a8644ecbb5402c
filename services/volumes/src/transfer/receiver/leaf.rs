//! The receiver's files, links and FIFOs.

use super::build::Build;
use super::file::File;
use crate::Result;
use crate::attributes::Attributes;
use crate::files::{Inode, stat};
use crate::links::Links;
use crate::transfer::digest::{Digest, Entry, Kind};
use crate::transfer::op::FILES;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, chmodat, fstat, linkat, mkfifoat, openat, readlinkat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::CStr;

impl Build<'_> {
    /// Whether the file of that name is what the sender takes it for.
    pub(super) fn known(&mut self, name: &CStr, link: u64, digest: &Digest) -> Result<()> {
        self.name(name)?;
        let there = match stat(self.here(), name) {
            Ok(there) => Some(there).filter(|there| {
                let is_file = FileType::from_raw_mode(there.st_mode) == FileType::RegularFile;
                is_file && self.index.digest(there) == Some(*digest)
            }),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(self.failed("look at", name, error)),
        };
        let has = match there {
            Some(there) if self.is_its_own(&there, link) => {
                self.register(name, &there, link)?;
                true
            }
            _ => false,
        };
        self.known.push(has);
        self.lost |= !has;
        Ok(())
    }

    pub(super) fn link(&mut self, name: &CStr, link: u64) -> Result<()> {
        self.name(name)?;
        if !self.linked.contains(&link) {
            if self.lost {
                // The next walk names it again.
                return Ok(());
            }
            return Err(self.invalid("a link leads to nothing"));
        }
        let (one, other) = (
            self.stat_of(name)?,
            stat(&self.links.0, Links::name(key(link))),
        );
        if one.map(|it| it.st_ino) == other.ok().map(|it| it.st_ino) {
            return Ok(());
        }
        self.clear(name)?;
        let linked = self.links.link(key(link), self.here(), name);
        match linked {
            Ok(true) => self.see_name(name),
            Ok(false) => Err(self.invalid("a link leads to nothing")),
            Err(error) => Err(self.failed("link", name, error)),
        }
    }

    pub(super) fn file(&mut self, name: &CStr, link: u64) -> Result<()> {
        self.name(name)?;
        if self.files.len() > FILES {
            return Err(self.invalid("a batch has too many files"));
        }
        let there = self.stat_of(name)?.filter(|there| {
            let is_file = FileType::from_raw_mode(there.st_mode) == FileType::RegularFile;
            is_file && self.is_its_own(there, link)
        });
        let open = |flags| OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | flags;
        let own = Mode::RUSR | Mode::WUSR;
        if there.is_none() {
            self.clear(name)?;
            let flags = open(OFlags::CREATE | OFlags::EXCL);
            openat(self.here(), name, flags, own)
                .map_err(|error| self.failed("write", name, error))?;
        } else {
            // Its mode, which is the original's, may keep us from what is ours.
            chmodat(self.here(), name, own, AtFlags::empty())
                .map_err(|error| self.failed("open", name, error))?;
        }
        let opened = openat(self.here(), name, open(OFlags::empty()), Mode::empty());
        let file = opened
            .and_then(|file| Ok((fstat(&file)?, file)))
            .map(|(about, file)| (about, File::new(file, about.st_size.cast_unsigned())));
        let (about, file) = file.map_err(|error| self.failed("open", name, error))?;
        self.register(name, &about, link)?;
        self.files.push(file);
        Ok(())
    }

    pub(super) fn symlink(
        &mut self,
        name: &CStr,
        link: u64,
        target: &CStr,
        attributes: &Attributes,
    ) -> Result<()> {
        self.name(name)?;
        let there = self.stat_of(name)?;
        let same = there.is_some_and(|there| {
            let leads_to = readlinkat(self.here(), name, Vec::new());
            leads_to.as_deref() == Ok(target) && self.is_its_own(&there, link)
        });
        if !same {
            self.clear(name)?;
            symlinkat(target, self.here(), name)
                .map_err(|error| self.failed("write", name, error))?;
        }
        let digest = Entry::new(Kind::Symlink).end(attributes, target.to_bytes());
        self.named(name, link, (attributes, true), digest)
    }

    pub(super) fn fifo(&mut self, name: &CStr, link: u64, attributes: &Attributes) -> Result<()> {
        self.name(name)?;
        let same = self.stat_of(name)?.is_some_and(|there| {
            FileType::from_raw_mode(there.st_mode) == FileType::Fifo
                && self.is_its_own(&there, link)
        });
        if !same {
            self.clear(name)?;
            mkfifoat(self.here(), name, Mode::RUSR | Mode::WUSR)
                .map_err(|error| self.failed("write", name, error))?;
        }
        let digest = Entry::new(Kind::Fifo).end(attributes, b"");
        self.named(name, link, (attributes, false), digest)
    }

    fn named(
        &mut self,
        name: &CStr,
        link: u64,
        (attributes, is_link): (&Attributes, bool),
        digest: Digest,
    ) -> Result<()> {
        let given = attributes.give_name(self.here(), name, is_link);
        given.map_err(|error| self.failed("write", name, error))?;
        let Some(about) = self.stat_of(name)? else {
            return Ok(());
        };
        self.index.set(&about, digest);
        self.register(name, &about, link)
    }

    /// Whether what is there may be written to without another name's changing: it has one name, or
    /// those that it is to have.
    fn is_its_own(&self, there: &Stat, link: u64) -> bool {
        there.st_nlink == 1 || self.is_registered(there, link)
    }

    fn is_registered(&self, there: &Stat, link: u64) -> bool {
        let known = stat(&self.links.0, Links::name(key(link)));
        link != 0 && known.is_ok_and(|known| known.st_ino == there.st_ino)
    }

    /// Remembers what has several names under its number, for the others.
    fn register(&mut self, name: &CStr, about: &Stat, link: u64) -> Result<()> {
        if link == 0 {
            return Ok(());
        }
        if !self.linked.insert(link) {
            return Err(self.invalid("what has several names comes twice"));
        }
        if self.is_registered(about, link) {
            return Ok(());
        }
        let known = Links::name(key(link));
        let registered = match unlinkat(&self.links.0, &known, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {
                linkat(self.here(), name, &self.links.0, &known, AtFlags::empty())
            }
            Err(error) => Err(error),
        };
        registered.map_err(|error| self.failed("link", name, error))?;
        self.see_name(name)
    }

    /// What those of this walk are called in the folder of links.
    pub(super) fn linked_names(&self) -> impl Iterator<Item = String> {
        self.linked.iter().map(|link| Links::name(key(*link)))
    }

    fn see_name(&mut self, name: &CStr) -> Result<()> {
        if let Some(about) = self.stat_of(name)? {
            self.index.renamed(&about);
        }
        Ok(())
    }

    fn stat_of(&self, name: &CStr) -> Result<Option<Stat>> {
        match stat(self.here(), name) {
            Ok(there) => Ok(Some(there)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }
}

fn key(link: u64) -> Inode {
    Inode { dev: 0, ino: link }
}
