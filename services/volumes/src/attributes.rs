//! Owner, mode, times and extended attributes.

use rustix::fd::BorrowedFd;
use rustix::fs::{
    AtFlags, Gid, Mode, Stat, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod,
    fchown, fgetxattr, flistxattr, fremovexattr, fsetxattr, futimens, utimensat,
};
use rustix::io::Errno;
use std::ffi::CStr;

/// The most that Linux lets a list of names, or a value, take.
const MOST: usize = 64 * 1024;
const ACL: &[u8] = b"system.posix_acl_access";
pub(crate) const DEFAULT_ACL: &CStr = c"system.posix_acl_default";

/// What is kept of a file's inode, beside its data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    mode: u32,
    uid: u32,
    gid: u32,
    modified: Timespec,
}

impl Attributes {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
            modified: Timespec {
                tv_sec: stat.st_mtime,
                tv_nsec: stat.st_mtime_nsec.try_into().unwrap_or(0),
            },
        }
    }

    pub(crate) const BYTES: usize = 24;

    /// As another machine is told them.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let nanos = u32::try_from(self.modified.tv_nsec).unwrap_or(0);
        bytes[..4].copy_from_slice(&(self.mode & 0o7777).to_le_bytes());
        bytes[4..8].copy_from_slice(&self.uid.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.gid.to_le_bytes());
        bytes[12..16].copy_from_slice(&nanos.to_le_bytes());
        bytes[16..].copy_from_slice(&self.modified.tv_sec.to_le_bytes());
        bytes
    }

    /// `None` if no file has such.
    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let ([mode, uid, gid, nanos, low, high], []) = bytes.as_chunks::<4>() else {
            return None;
        };
        let [mode, uid, gid, nanos] = [mode, uid, gid, nanos].map(|it| u32::from_le_bytes(*it));
        let low = u64::from(u32::from_le_bytes(*low));
        let secs = (u64::from(u32::from_le_bytes(*high)) << 32 | low).cast_signed();
        let is_sane = mode <= 0o7777 && uid != u32::MAX && gid != u32::MAX && nanos < 1_000_000_000;
        is_sane.then_some(Self {
            mode,
            uid,
            gid,
            modified: Timespec {
                tv_sec: secs,
                tv_nsec: nanos.into(),
            },
        })
    }

    pub(crate) fn owner(&self) -> (u32, u32) {
        (self.uid, self.gid)
    }

    /// Gives them to a file or folder, and what `source` has of extended ones.
    pub(crate) fn give(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<(), Errno> {
        copy_extended(source, target)?;
        self.give_file(target)
    }

    /// Gives them to a file or folder that has its extended ones.
    pub(crate) fn give_file(&self, target: BorrowedFd<'_>) -> Result<(), Errno> {
        let owned = permitted(fchown(target, Some(self.uid()), Some(self.gid())))?;
        fchmod(target, self.mode(owned))?;
        futimens(target, &self.times())
    }

    /// Gives them to a link or FIFO, where no one else can put another file.
    pub(crate) fn give_name(
        &self,
        at: BorrowedFd<'_>,
        name: &CStr,
        is_link: bool,
    ) -> Result<(), Errno> {
        let itself = AtFlags::SYMLINK_NOFOLLOW;
        let owned = permitted(chownat(
            at,
            name,
            Some(self.uid()),
            Some(self.gid()),
            itself,
        ))?;
        if !is_link {
            chmodat(at, name, self.mode(owned), AtFlags::empty())?;
        }
        utimensat(at, name, &self.times(), itself)
    }

    fn uid(&self) -> Uid {
        Uid::from_raw(self.uid)
    }

    fn gid(&self) -> Gid {
        Gid::from_raw(self.gid)
    }

    /// A set-uid program of another's must not become one of ours.
    fn mode(&self, owned: bool) -> Mode {
        let mode = Mode::from_raw_mode(self.mode & 0o7777);
        if owned {
            mode
        } else {
            mode - (Mode::SUID | Mode::SGID)
        }
    }

    fn times(&self) -> Timestamps {
        Timestamps {
            last_access: self.modified,
            last_modification: self.modified,
        }
    }
}

/// Whether it was permitted: only root gives files away.
fn permitted(result: Result<(), Errno>) -> Result<bool, Errno> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::PERM | Errno::INVAL) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What users and ACLs say. Others are the system's own (`security.*`, `trusted.*`).
pub(crate) fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b"user.") || name == ACL || name == DEFAULT_ACL.to_bytes()
}

fn copy_extended(source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<(), Errno> {
    let wanted = list(source)?;
    keep_extended(target, &wanted)?;
    each_extended(source, wanted, |name, value| {
        set_extended(target, name, value)
    })
}

/// Removes all but these.
pub(crate) fn keep_extended(target: BorrowedFd<'_>, wanted: &[Vec<u8>]) -> Result<(), Errno> {
    for name in list(target)?.iter().filter(|name| !wanted.contains(name)) {
        extended(fremovexattr(target, name.as_slice()))?;
    }
    Ok(())
}

/// Calls `each` with the name and the value of each of these that `source` has.
pub(crate) fn each_extended<E: From<Errno>>(
    source: BorrowedFd<'_>,
    wanted: Vec<Vec<u8>>,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut value = vec![0; MOST];
    for name in wanted {
        match fgetxattr(source, name.as_slice(), value.as_mut_slice()) {
            Ok(length) => each(&name, value.get(..length).unwrap_or_default())?,
            Err(Errno::NODATA) => {}
            Err(error) => extended(Err(error))?,
        }
    }
    Ok(())
}

pub(crate) fn set_extended(target: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    extended(fsetxattr(target, name, value, XattrFlags::empty()))
}

/// Whether both have the same extended ones, of those that are kept.
pub(crate) fn same_extended(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> Result<bool, Errno> {
    let (mut names, mut others) = (list(one)?, list(other)?);
    names.sort_unstable();
    others.sort_unstable();
    if names != others || names.is_empty() {
        return Ok(names == others);
    }
    let (mut value, mut its) = (vec![0; MOST], vec![0; MOST]);
    for name in names {
        let length = fgetxattr(one, name.as_slice(), value.as_mut_slice())?;
        let its_length = fgetxattr(other, name.as_slice(), its.as_mut_slice())?;
        if value.get(..length) != its.get(..its_length) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// They are kept where that is permitted and possible.
fn extended(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::NODATA) => Ok(()),
        other => other,
    }
}

/// The names of those that are kept.
pub(crate) fn list(file: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, Errno> {
    let mut few = [0; 512];
    let mut many = Vec::new();
    let names = match flistxattr(file, &mut few) {
        Ok(length) => few.get(..length),
        Err(Errno::RANGE) => {
            many.resize(MOST, 0);
            let length = flistxattr(file, many.as_mut_slice())?;
            many.get(..length)
        }
        Err(Errno::OPNOTSUPP) => None,
        Err(error) => return Err(error),
    };
    let names = names.unwrap_or_default().split(|byte| *byte == 0);
    Ok(names
        .filter(|name| is_kept(name))
        .map(<[u8]>::to_vec)
        .collect())
}
