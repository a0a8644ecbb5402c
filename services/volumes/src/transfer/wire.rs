//! What goes over the stream: one byte for the version each way, then frames of a kind, a length
//! and so many bytes. Who sends a frame that is answered waits for the answer, so the two never
//! wait for each other to read.

use crate::Result;
use crate::error::VolumeError;
use std::io::{self, BufReader, Read, Write};
use std::time::{Duration, Instant};

/// Counts up with each change of what is said.
const VERSION: u8 = 1;
/// The longest frame: a block, or a batch that has become full.
pub(super) const LONGEST: usize = 2 << 20;
/// The longest sentence of the other machine that is passed on.
const LONGEST_SAID: usize = 4096;
/// So much is collected before it goes out.
const BUFFER: usize = 256 * 1024;
/// Whoever works for long says so this often.
const ALIVE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// From the sender: what is to come.
    Hello = b'H',
    /// What there is in the tree.
    Batch = b'B',
    /// One block that is wanted.
    Data = b'D',
    /// There is no more.
    Close = b'C',
    /// From the receiver: it begins.
    Ready = b'R',
    /// Which of what was in a batch is wanted.
    Wanted = b'W',
    /// It is still at work.
    Alive = b'A',
    /// All of it is here.
    Done = b'O',
    /// From both: why not.
    Failed = b'E',
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        use Kind::{Alive, Batch, Close, Data, Done, Failed, Hello, Ready, Wanted};
        let all = [
            Hello, Batch, Data, Close, Ready, Wanted, Alive, Done, Failed,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

pub(super) struct Wire<'s, S> {
    stream: BufReader<&'s mut S>,
    out: Vec<u8>,
    volume: String,
    last: Instant,
}

impl<'s, S: Read + Write> Wire<'s, S> {
    pub(super) fn new(stream: &'s mut S, volume: &str) -> Self {
        Self {
            stream: BufReader::new(stream),
            out: vec![VERSION],
            volume: volume.to_owned(),
            last: Instant::now(),
        }
    }

    /// To be called before the first frame is received.
    pub(super) fn version(&mut self) -> Result<()> {
        let mut theirs = [0];
        self.fill(&mut theirs)?;
        if theirs == [VERSION] {
            return Ok(());
        }
        // It is told ours.
        self.flush()?;
        Err(VolumeError::TransferVersion {
            ours: VERSION,
            theirs: theirs[0],
        })
    }

    pub(super) fn send(&mut self, kind: Kind, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.out.push(kind as u8);
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(payload);
        if self.out.len() < BUFFER {
            return Ok(());
        }
        self.flush()
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        let stream = self.stream.get_mut();
        let written = stream.write_all(&self.out).and_then(|()| stream.flush());
        self.out.clear();
        self.out.shrink_to(LONGEST);
        self.last = Instant::now();
        written.map_err(|error| self.said_why().unwrap_or_else(|| self.broken(&error)))
    }

    /// What the other machine may have said before it hung up.
    fn said_why(&mut self) -> Option<VolumeError> {
        let mut frame = Vec::new();
        loop {
            match self.frame(&mut frame) {
                Ok(Kind::Failed) => return Some(self.refused(&frame)),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// The next frame, whose bytes come into `frame`.
    pub(super) fn receive(&mut self, frame: &mut Vec<u8>) -> Result<Kind> {
        loop {
            match self.frame(frame)? {
                Kind::Failed => return Err(self.refused(frame)),
                Kind::Alive => {}
                kind => return Ok(kind),
            }
        }
    }

    pub(super) fn expect(&mut self, kind: Kind, frame: &mut Vec<u8>) -> Result<()> {
        if self.receive(frame)? == kind {
            return Ok(());
        }
        Err(self.invalid("another frame was to come"))
    }

    fn frame(&mut self, frame: &mut Vec<u8>) -> Result<Kind> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let kind = Kind::of(kind).ok_or_else(|| self.invalid("a frame is of no known kind"))?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(self.invalid("a frame is too long"));
        }
        frame.clear();
        frame.resize(length, 0);
        self.fill(frame)?;
        Ok(kind)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        let read = self.stream.read_exact(bytes);
        read.map_err(|error| self.broken(&error))
    }

    /// Tells the other machine why this one gives up, if it still listens.
    pub(super) fn give_up(&mut self, error: &VolumeError) {
        if matches!(error, VolumeError::TransferRefused { .. }) {
            return;
        }
        let mut said = error.to_string();
        said.truncate(said.floor_char_boundary(LONGEST_SAID));
        let no_room = error.code() == "no_room" || error.is_full();
        let payload = [&[u8::from(no_room)], said.as_bytes()].concat();
        let _ = self.send(Kind::Failed, &payload);
        let _ = self.flush();
    }

    /// Says that this machine is at work, if that was not said for a while.
    pub(super) fn alive(&mut self) -> Result<()> {
        if self.last.elapsed() < ALIVE {
            return Ok(());
        }
        self.send(Kind::Alive, &[])?;
        self.flush()
    }

    fn refused(&self, frame: &[u8]) -> VolumeError {
        let (no_room, said) = frame.split_first().unwrap_or((&0, &[]));
        let said = said.get(..LONGEST_SAID).unwrap_or(said);
        VolumeError::TransferRefused {
            volume: self.volume.clone(),
            cause: String::from_utf8_lossy(said).escape_debug().to_string(),
            no_room: *no_room == 1,
        }
    }

    fn broken(&self, error: &io::Error) -> VolumeError {
        VolumeError::TransferBroken {
            volume: self.volume.clone(),
            cause: if error.kind() == io::ErrorKind::UnexpectedEof {
                "it ended early".to_owned()
            } else {
                error.to_string()
            },
        }
    }

    pub(super) fn invalid(&self, cause: &'static str) -> VolumeError {
        VolumeError::TransferInvalid {
            volume: self.volume.clone(),
            cause,
        }
    }
}
