//! Receiving a volume.

mod build;
mod extended;
mod file;
mod folder;
mod index;
mod leaf;
mod verify;

use crate::Result;
use crate::archive::{Archives, Phase, Place, Record, role};
use crate::error::VolumeError;
use crate::id::SnapshotId;
use crate::measure::Measure;
use crate::names::names_in;
use crate::remove::remove_own;
use crate::replace::now;
use crate::room::Room;
use crate::snapshot::DATA;
use crate::transfer::Received;
use crate::transfer::frames::{Close, Hello, to_bits};
use crate::transfer::wire::{Kind, Wire};
use crate::volume::Volume;
use build::{Build, LINKS};
use rustix::fd::AsFd as _;
use rustix::fs::{AtFlags, unlinkat};
use std::io::{Read, Write};
use verify::Verify;

impl Archives {
    /// Receives what [`Volume::send`] sends at the other end of `stream`, as the archive `id` of this
    /// sandbox: after a last pass it can be [`Volume::unarchive`]d. What came of a pass that broke off
    /// stays, and does not come again.
    ///
    /// # Errors
    /// If the stream ends early or does not follow the protocol, there is no room, what is on the disk
    /// is not what was sent, or there is an archive of this id that did not come this way.
    pub fn receive(
        &self,
        id: &SnapshotId,
        sandbox: &str,
        stream: &mut (impl Read + Write),
    ) -> Result<Received> {
        Volume::check_name(sandbox)?;
        let mut wire = Wire::new(stream, sandbox);
        let received = self.receive_from(id, sandbox, &mut wire);
        if let Err(error) = &received {
            wire.give_up(error);
        }
        received
    }

    fn receive_from<S: Read + Write>(
        &self,
        id: &SnapshotId,
        sandbox: &str,
        wire: &mut Wire<'_, S>,
    ) -> Result<Received> {
        wire.version()?;
        let mut frame = Vec::new();
        wire.expect(Kind::Hello, &mut frame)?;
        let hello = Hello::from_bytes(&frame).ok_or_else(|| wire.invalid("its beginning"))?;
        let place = self.place(id, role(sandbox))?;
        let mut record = receiving(&place, id, sandbox)?;
        let room = Room::new(place.fd(), sandbox, &place.store.path);
        check_room(&place, &room, &hello)?;
        wire.send(Kind::Ready, &[])?;
        wire.flush()?;
        let mut build = Build::new(&place, &room)?;
        let received = build_tree(wire, &mut build)
            .and_then(|close| settle(wire, &mut build, &place, (&hello, &close), &mut record));
        received.map_err(|error| room.told(error))
    }
}

/// Where it is received is nothing else's.
fn receiving(place: &Place, id: &SnapshotId, sandbox: &str) -> Result<Record> {
    let record = match place.read()? {
        Some(record) => match &record.phase {
            Phase::Receiving => return Ok(record),
            // Whoever sent it may not have heard that it came.
            Phase::Kept if record.received => Record {
                phase: Phase::Receiving,
                ..record
            },
            Phase::Kept => {
                return Err(VolumeError::ArchiveTaken {
                    volume: sandbox.to_owned(),
                    id: id.clone(),
                });
            }
            Phase::Left { to } => {
                return Err(VolumeError::ArchiveElsewhere {
                    sandbox: to.clone(),
                });
            }
            Phase::Coming { .. } | Phase::Leaving { .. } => {
                return Err(VolumeError::ArchiveMoves {
                    id: id.clone(),
                    sandbox: record.sandbox,
                });
            }
        },
        None => Record {
            sandbox: sandbox.to_owned(),
            at: now(),
            bytes: 0,
            files: 0,
            owners: Vec::new(),
            phase: Phase::Receiving,
            received: true,
        },
    };
    place.write(&record)?;
    Ok(record)
}

/// What is here already takes no more room.
fn check_room(place: &Place, room: &Room<'_>, hello: &Hello) -> Result<()> {
    let here = match place.data()? {
        Some(data) => crate::replace::measure(&data, &place.store.path)?,
        None => Measure::default(),
    };
    let more = Measure {
        bytes: hello.bytes.saturating_sub(here.bytes),
        files: hello.files.saturating_sub(here.inodes()),
        ..Measure::default()
    };
    room.check(&more, false)
}

/// Takes batch after batch, until there is no more.
fn build_tree<S: Read + Write>(wire: &mut Wire<'_, S>, build: &mut Build<'_>) -> Result<Close> {
    let mut frame = Vec::new();
    loop {
        match wire.receive(&mut frame)? {
            Kind::Batch => {
                build.batch(&frame)?;
                let wanted = build.known.iter().map(|has| !has);
                let wanted: Vec<bool> = wanted.chain(build.wanted.iter().copied()).collect();
                wire.send(Kind::Wanted, &to_bits(&wanted))?;
                wire.flush()?;
                build.fill(&mut || {
                    let mut block = Vec::new();
                    wire.expect(Kind::Data, &mut block)?;
                    Ok(block)
                })?;
            }
            Kind::Close => {
                let close = Close::from_bytes(&frame).filter(|it| !it.whole || build.is_whole());
                return close.ok_or_else(|| wire.invalid("its end"));
            }
            _ => return Err(wire.invalid("a frame comes that is the receiver's")),
        }
    }
}

/// Makes what came durable, sees that it is what was sent, and an archive if it is all.
fn settle<S: Read + Write>(
    wire: &mut Wire<'_, S>,
    build: &mut Build<'_>,
    place: &Place,
    (hello, close): (&Hello, &Close),
    record: &mut Record,
) -> Result<Received> {
    let mut size = Measure::default();
    if hello.exists {
        build.sync()?;
        let (root, sandbox) = (build.root()?, build.room.volume());
        let mut alive = || wire.alive();
        let verify = Verify::new(&mut build.index, sandbox, &mut alive);
        let (tree, measure) = verify.run(root, close.whole)?;
        if close.whole && tree != close.tree {
            return Err(build.mismatch("the trees differ"));
        }
        size = measure;
    } else if close.last {
        place.store.discard(DATA)?;
    }
    let path = &place.store.path;
    build.index.write(place.fd(), path)?;
    remove_links(build, close).map_err(|error| VolumeError::io("remove", path, error))?;
    if close.last {
        (record.at, record.bytes, record.files) = (now(), size.bytes, size.files);
        if let Some(owner) = build.owner {
            record.add_owner(owner);
        }
        remove_own(place.fd(), LINKS).map_err(|error| VolumeError::io("remove", path, error))?;
        record.phase = Phase::Kept;
        place.write(record)?;
    }
    // If that does not arrive, the pass is sent again.
    let _ = wire.send(Kind::Done, &[]).and_then(|()| wire.flush());
    Ok(Received {
        files: size.files,
        received: build.received,
        whole: close.last,
    })
}

/// Removes the names of what has no longer several.
fn remove_links(build: &Build<'_>, close: &Close) -> Result<(), rustix::io::Errno> {
    if !close.whole || close.last {
        return Ok(());
    }
    let known: std::collections::HashSet<String> = build.linked_names().collect();
    for name in names_in(build.links.0.as_fd())? {
        if !known.contains(&name) {
            unlinkat(&build.links.0, name, AtFlags::empty())?;
        }
    }
    Ok(())
}
