//! Two machines, and a stream between them that is counted and may be cut.

use crate::common::{Folder, id, listing};
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;
use volumes::{Archives, Received, SendPass, Sent, VolumeError};

/// One end of a stream: after so many bytes it breaks, as whoever is at the other end sees as well.
pub struct End {
    stream: UnixStream,
    pub written: u64,
    pub read: u64,
    most: u64,
}

impl End {
    pub fn pair() -> (Self, Self) {
        let (one, other) = UnixStream::pair().unwrap();
        let end = |stream| Self {
            stream,
            written: 0,
            read: 0,
            most: u64::MAX,
        };
        (end(one), end(other))
    }

    /// Says no more.
    pub fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = usize::try_from(self.most - self.written).unwrap_or(usize::MAX);
        if left == 0 {
            self.stream.shutdown(Shutdown::Both)?;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = self.stream.write(&bytes[..bytes.len().min(left)])?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What came of a pass.
pub struct Passed {
    pub sent: Result<Sent, VolumeError>,
    pub received: Result<Received, VolumeError>,
    /// How many bytes went to the receiver.
    pub bytes: u64,
}

impl Passed {
    pub fn unwrap(self) -> (Sent, Received, u64) {
        (self.sent.unwrap(), self.received.unwrap(), self.bytes)
    }
}

pub struct Machines {
    pub from: Folder,
    pub to: Folder,
    pub archives: TempDir,
}

impl Machines {
    pub fn new() -> Self {
        let machines = Self {
            from: Folder::new(),
            to: Folder::new(),
            archives: tempfile::tempdir().unwrap(),
        };
        fs::remove_dir(machines.to.live()).unwrap();
        machines
    }

    pub fn live(&self) -> PathBuf {
        self.from.live()
    }

    pub fn archives(&self) -> Archives {
        Archives::open(self.archives.path()).unwrap()
    }

    pub fn place(&self) -> PathBuf {
        self.archives.path().join(id(9).as_str()).join("live")
    }

    pub fn data(&self) -> PathBuf {
        self.place().join("data")
    }

    pub fn pass(&self, pass: SendPass) -> Passed {
        self.pass_cut(pass, u64::MAX, u64::MAX)
    }

    /// A pass whose stream breaks after so many bytes to the receiver, and back.
    pub fn pass_cut(&self, pass: SendPass, there: u64, back: u64) -> Passed {
        let (mut one, mut other) = End::pair();
        (one.most, other.most) = (there, back);
        let archives = self.archives();
        let receiver = thread::spawn(move || archives.receive(&id(9), "live", &mut other));
        let sent = self.from.volume("live").send(&id(9), pass, &mut one);
        let bytes = one.written;
        drop(one);
        Passed {
            sent,
            received: receiver.join().unwrap(),
            bytes,
        }
    }

    /// A last pass, after which the other machine has the same tree, as a volume of its own.
    pub fn last(&self) -> (Sent, Received, u64) {
        let passed = self.pass(SendPass::Last).unwrap();
        assert!(passed.1.whole);
        assert_same(&self.live(), &self.data());
        passed
    }

    pub fn unarchive(&self) {
        let volume = self.to.volume("live");
        volume.unarchive(&self.archives(), &id(9)).unwrap();
    }
}

/// Whether two trees are the same, in every byte and everything else that is kept.
pub fn assert_same(one: &Path, other: &Path) {
    // The receiver's files have a name more while it is not whole, so this is for whole ones.
    assert_eq!(listing(one), listing(other));
    same(one, other);
}

fn same(one: &Path, other: &Path) {
    let about = fs::symlink_metadata(one).unwrap();
    if about.is_symlink() {
        return;
    }
    assert_eq!(extended(one), extended(other), "{}", one.display());
    if about.is_file() {
        assert!(
            fs::read(one).unwrap() == fs::read(other).unwrap(),
            "{}",
            one.display()
        );
    } else if about.is_dir() {
        for entry in fs::read_dir(one).unwrap() {
            let name = entry.unwrap().file_name();
            same(&one.join(&name), &other.join(&name));
        }
    }
}

/// Names and values, sorted.
fn extended(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = [0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap();
    let mut all = Vec::new();
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let mut value = vec![0; 65536];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
        value.truncate(length);
        all.push((name.to_vec(), value));
    }
    all.sort();
    all
}

/// Bytes that no other block has, and no compression makes smaller.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub fn name(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
