//! `hypervisor volume`: one order about one sandbox's volume, carried out as root by a unit of
//! its own on hosts where the gateway may not touch what sandboxes write.
//!
//! It takes names, never paths: the folders and the control group come from the unit.

use super::output;
use crate::database_check::DatabaseCheck;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use rustix::fs::{CWD, Mode, OFlags, fchmod, openat, rename};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use volumes::{
    Archives, Backups, CgroupFreezer, Freezer, Keep, NoFreezer, Reason, SendPass, SnapshotId,
    Volume, VolumeError,
};

const CGROUPS: &str = "/sys/fs/cgroup";
/// How long a result is there to be read.
const KEPT: Duration = Duration::from_hours(24);
/// How long the other machine may say nothing, as while it writes all out to a slow disk.
const SILENCE: Duration = Duration::from_mins(10);

#[derive(Args)]
pub(super) struct Arguments {
    /// The folder of all volumes
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Whose volume it is
    #[arg(long, value_name = "NAME")]
    sandbox: String,
    /// What runs on the volume, held still for the moment of a snapshot
    #[arg(long, value_name = "CGROUP")]
    cgroup: Option<PathBuf>,
    /// Where the result is written: <FOLDER>/<sandbox>/<order>.json; without it, it is printed
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// So many of the newest snapshots stay, or backups
    #[arg(long, value_name = "N", default_value_t = Keep::default().last)]
    keep_last: usize,
    /// And the newest of each of so many days
    #[arg(long, value_name = "N", default_value_t = Keep::default().daily)]
    keep_daily: usize,
    /// The folder of this volume's backups
    #[arg(long, value_name = "FOLDER")]
    backups: Option<PathBuf>,
    /// Where a stream to another machine is to be had: on the socket <FOLDER>/<sandbox>/<id>
    #[arg(long, value_name = "FOLDER")]
    streams: Option<PathBuf>,
    /// The folder of all archives
    #[arg(long, value_name = "FOLDER")]
    archives: Option<PathBuf>,
    /// prepare:<id>, snapshot:<id>:<reason>, replace:<from>:<id>:<aside>, put-back:<id>:<aside>, remove:<id>, prune, list, usage, recover, thaw, backup[:<id>], backups, import:<backup>:<id>, archive:<id>, unarchive:<id>, discard:<id>, send:<id>, send-last:<id> or receive:<id>
    order: String,
}

/// What is to be done, written as a part of a unit's name can be.
#[derive(Clone, Debug, PartialEq)]
enum Order {
    Prepare(SnapshotId),
    Snapshot(SnapshotId, Reason),
    Replace {
        from: String,
        id: SnapshotId,
        aside: SnapshotId,
    },
    PutBack {
        id: SnapshotId,
        aside: SnapshotId,
    },
    Remove(SnapshotId),
    /// But none of these.
    Prune(Vec<SnapshotId>),
    List,
    Usage,
    /// With an id of its own if none is given.
    Backup(Option<SnapshotId>),
    Backups,
    Import {
        id: SnapshotId,
        new: SnapshotId,
    },
    Archive(SnapshotId),
    Unarchive(SnapshotId),
    /// Both volumes of the archive.
    Discard(SnapshotId),
    /// To another machine, while it runs or for good.
    Send(SnapshotId, SendPass),
    Receive(SnapshotId),
    Recover,
    Thaw,
}

impl FromStr for Order {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split(':').collect();
        Ok(match words.as_slice() {
            ["prepare", id] => Self::Prepare(id.parse()?),
            ["snapshot", id, reason] => Self::Snapshot(id.parse()?, parse_reason(reason)?),
            ["replace", from, id, aside] => {
                Volume::check_name(from)?;
                Self::Replace {
                    from: (*from).to_owned(),
                    id: id.parse()?,
                    aside: aside.parse()?,
                }
            }
            ["put-back", id, aside] => Self::PutBack {
                id: id.parse()?,
                aside: aside.parse()?,
            },
            ["remove", id] => Self::Remove(id.parse()?),
            ["prune", held @ ..] => {
                let held = held.iter().map(|id| id.parse::<SnapshotId>());
                Self::Prune(held.collect::<Result<_, VolumeError>>()?)
            }
            ["list"] => Self::List,
            ["usage"] => Self::Usage,
            ["backup"] => Self::Backup(None),
            ["backup", id] => Self::Backup(Some(id.parse()?)),
            ["backups"] => Self::Backups,
            ["import", id, new] => Self::Import {
                id: id.parse()?,
                new: new.parse()?,
            },
            ["archive", id] => Self::Archive(id.parse()?),
            ["unarchive", id] => Self::Unarchive(id.parse()?),
            ["discard", id] => Self::Discard(id.parse()?),
            ["send", id] => Self::Send(id.parse()?, SendPass::Ahead),
            ["send-last", id] => Self::Send(id.parse()?, SendPass::Last),
            ["receive", id] => Self::Receive(id.parse()?),
            ["recover"] => Self::Recover,
            ["thaw"] => Self::Thaw,
            _ => bail!("`{}` is no order", text.escape_debug()),
        })
    }
}

fn parse_reason(text: &str) -> Result<Reason> {
    serde_json::from_value(text.into())
        .with_context(|| format!("`{}` is no reason", text.escape_debug()))
}

/// Does it, and says how it went.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    // Refused before anything is written: a name may lead elsewhere.
    Volume::check_name(&arguments.sandbox)?;
    let order = arguments.order.parse()?;
    let done = carry_out(arguments, &order);
    let result = match &done {
        Ok(value) => json!({ "ok": value }),
        Err(error) => {
            let known = error.downcast_ref::<VolumeError>();
            let code = known.map_or("volume", VolumeError::code);
            json!({ "error": format!("{error:#}"), "code": code })
        }
    };
    match &arguments.results {
        Some(results) => write(&results.join(&arguments.sandbox), &arguments.order, &result)?,
        None if done.is_ok() => output::answer(&format!("{result}\n"))?,
        None => {}
    }
    done.map(|_| ())
}

fn carry_out(arguments: &Arguments, order: &Order) -> Result<Value> {
    let freezer = freezer(arguments.cgroup.as_deref())?;
    let volume = Volume::open(&arguments.folder, &arguments.sandbox)?;
    match order {
        Order::Prepare(id) => value(volume.prepare(id)?),
        Order::Snapshot(id, reason) => value(volume.snapshot(id, *reason, &*freezer)?),
        Order::Replace { from, id, aside } => {
            let from = Volume::open(&arguments.folder, from)?;
            value(volume.replace(&from, id, aside)?)
        }
        Order::PutBack { id, aside } => value(volume.put_back(id, aside)?),
        Order::Remove(id) => value(volume.remove(id)?),
        Order::Prune(held) => value(volume.prune(&arguments.keep(), held)?),
        Order::Backup(id) => {
            let id = id.clone().map_or_else(new_id, Ok)?;
            let to = arguments.backups()?;
            let check = DatabaseCheck::as_owner(&std::env::current_exe()?);
            value(volume.back_up(&to, &id, &arguments.keep(), &*freezer, &check)?)
        }
        Order::Backups => value(arguments.backups()?.list()?),
        Order::Import { id, new } => value(volume.import(&arguments.backups()?, id, new)?),
        Order::Archive(id) => {
            let backups = arguments.backups_if_any()?;
            value(volume.archive(&arguments.archives()?, backups.as_ref(), id)?)
        }
        Order::Unarchive(id) => {
            let archived = volume.unarchive(&arguments.archives()?, id)?;
            if let Some(backups) = arguments.backups_if_any()? {
                backups.bring_back(id)?;
            }
            value(archived)
        }
        Order::Discard(id) => {
            arguments.archives()?.discard(id)?;
            if let Some(backups) = arguments.backups_if_any()? {
                backups.discard_archived(id)?;
            }
            value(())
        }
        Order::Send(id, pass) => value(volume.send(id, *pass, &mut arguments.stream(id)?)?),
        Order::Receive(id) => {
            let (archives, mut stream) = (arguments.archives()?, arguments.stream(id)?);
            value(archives.receive(id, &arguments.sandbox, &mut stream)?)
        }
        Order::List => value(volume.snapshots()?),
        Order::Usage => value(volume.usage()?),
        Order::Recover => {
            volume.thaw(&*freezer)?;
            value(volume.recover()?)
        }
        Order::Thaw => value(volume.thaw(&*freezer)?),
    }
}

impl Arguments {
    fn keep(&self) -> Keep {
        Keep {
            last: self.keep_last.max(1),
            daily: self.keep_daily,
        }
    }

    fn archives(&self) -> Result<Archives> {
        let folder = self
            .archives
            .as_deref()
            .context("no folder for archives is given; give --archives")?;
        Ok(Archives::open(folder)?)
    }

    fn stream(&self, id: &SnapshotId) -> Result<UnixStream> {
        let folder = self
            .streams
            .as_deref()
            .context("no folder for streams is given; give --streams")?;
        let path = folder.join(&self.sandbox).join(id.as_str());
        let stream = UnixStream::connect(&path)
            .with_context(|| format!("nobody listens on {}", path.display()))?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(stream)
    }

    fn backups_if_any(&self) -> Result<Option<Backups>> {
        let folder = self.backups.as_deref().filter(|folder| folder.is_dir());
        Ok(folder.map(Backups::open).transpose()?)
    }

    fn backups(&self) -> Result<Backups> {
        let folder = self.backups.as_deref().context(
            "no folder for backups is given; enable services.choiros.backup, or give --backups",
        )?;
        Ok(Backups::open(folder)?)
    }
}

fn new_id() -> Result<SnapshotId> {
    let mut random = [0; 2];
    getrandom::fill(&mut random)?;
    Ok(SnapshotId::new(
        SystemTime::now(),
        u16::from_le_bytes(random),
    ))
}

fn value(what: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(what)?)
}

/// A group that is not there has nothing that runs in it.
fn freezer(cgroup: Option<&Path>) -> Result<Box<dyn Freezer>> {
    let Some(cgroup) = cgroup else {
        return Ok(Box::new(NoFreezer));
    };
    // As systemd says it, from the root of the groups, or as a path.
    let below = cgroup.strip_prefix(CGROUPS).unwrap_or(cgroup);
    let below = below.strip_prefix("/").unwrap_or(below);
    let names = |part| matches!(part, Component::Normal(_));
    if below.components().next().is_none() || !below.components().all(names) {
        bail!(
            "--cgroup {} is no control group below {CGROUPS}",
            cgroup.display()
        );
    }
    let folder = Path::new(CGROUPS).join(below);
    if folder.is_dir() {
        Ok(Box::new(CgroupFreezer::new(folder)))
    } else {
        Ok(Box::new(NoFreezer))
    }
}

/// Writes the result for the gateway to read, whole or not at all.
fn write(folder: &Path, order: &str, result: &Value) -> Result<()> {
    let file = folder.join(format!("{order}.json"));
    let new = folder.join(format!(".{order}.new"));
    let failed = || format!("cannot write {}", file.display());
    let _ = std::fs::remove_file(&new);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let all_read = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    let opened = openat(CWD, &new, flags, all_read).with_context(failed)?;
    fchmod(&opened, all_read).with_context(failed)?;
    let mut opened = File::from(opened);
    opened
        .write_all(result.to_string().as_bytes())
        .with_context(failed)?;
    rename(&new, &file).with_context(failed)?;
    remove_old(folder);
    Ok(())
}

/// Results that nobody waits for any longer: each order leaves one, in memory.
fn remove_old(folder: &Path) {
    let Ok(results) = std::fs::read_dir(folder) else {
        return;
    };
    for result in results.flatten() {
        let written = result.metadata().and_then(|file| file.modified());
        if written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT)) {
            let _ = std::fs::remove_file(result.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, freezer};
    use std::path::Path;
    use volumes::Reason;

    const ID: &str = "20260131T235959Z-1f2e";

    #[test]
    fn orders_are_names_and_never_paths() {
        let snapshot = format!("snapshot:{ID}:promote").parse::<Order>().unwrap();
        assert_eq!(
            snapshot,
            Order::Snapshot(ID.parse().unwrap(), Reason::Promote)
        );
        assert_eq!("prune".parse::<Order>().unwrap(), Order::Prune(Vec::new()));
        for order in [
            "",
            "prepare",
            "prepare:..",
            "remove:../../etc",
            "list:all",
            "usage:/etc",
            "snapshot:20260131T235959Z-1f2e:whim",
            "replace:../x:20260131T235959Z-1f2e:20260131T235959Z-1f2e",
            "replace:/etc:20260131T235959Z-1f2e:20260131T235959Z-1f2e",
            "prune:x",
            "backup:..",
            "backup:20260131T235959Z-1f2e:x",
            "import:20260131T235959Z-1f2e",
            "import:../x:20260131T235959Z-1f2e",
            "backups:/etc",
            "archive",
            "archive:../x",
            "unarchive:20260131T235959Z-1f2e:/etc",
            "discard:..",
            "send:../x",
            "send-last",
            "receive:20260131T235959Z-1f2e:/etc",
        ] {
            assert!(order.parse::<Order>().is_err(), "{order}");
        }
    }

    #[test]
    fn a_control_group_lies_below_their_root() {
        for group in [
            "",
            "/",
            "/sys/fs/cgroup",
            "../x",
            "/sys/fs/cgroup/../../etc",
        ] {
            assert!(freezer(Some(Path::new(group))).is_err(), "{group}");
        }
        assert!(freezer(Some(Path::new("/machine.slice/none"))).is_ok());
    }
}
