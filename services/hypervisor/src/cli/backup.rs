//! `hypervisor backup` and `hypervisor restore` of the store.

use super::answer::Answer;
use crate::config::Config;
use crate::store;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use volumes::{Keep, SnapshotId};

/// Where a copy of the store is to be.
#[derive(Args)]
pub(super) struct Store {
    /// Copy the store to this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "role", "into"])]
    to: Option<PathBuf>,
    /// Copy the store to a new file in this folder, and remove the old ones that no rule keeps
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["workspace", "role"])]
    into: Option<PathBuf>,
    /// So many of the newest of those stay
    #[arg(long, value_name = "N", default_value_t = 24, requires = "into")]
    keep_last: usize,
    /// And the newest of each of so many days
    #[arg(long, value_name = "N", default_value_t = 14, requires = "into")]
    keep_daily: usize,
}

/// The store's file, where it is one.
fn file(config: &Config) -> Result<&Path> {
    if config.store.url.is_some() {
        bail!(
            "the store is in PostgreSQL (store.url), whose own backups and pg_dump copy it while it is in use; `hypervisor store copy` makes a file of it while the gateway is stopped"
        );
    }
    Ok(&config.store.path)
}

/// Copies the store, if that was asked for.
pub(super) fn backup(config: &Config, order: &Store) -> Result<Option<Answer>> {
    let (to, removed) = match (&order.to, &order.into) {
        (Some(to), _) => {
            store::backup(file(config)?, to)?;
            (to.clone(), 0)
        }
        (None, Some(folder)) => numbered(config, folder, order)?,
        (None, None) => return Ok(None),
    };
    let mut said = format!("{} is a copy of the store, and it is whole", to.display());
    if removed > 0 {
        let _ = write!(said, "; {removed} older removed");
    }
    let value = json!({ "copy": to, "removed": removed });
    Ok(Some(Answer::sentence(said, value)))
}

/// Copies the store to a file of its own; says how many older ones were removed then.
fn numbered(config: &Config, folder: &Path, order: &Store) -> Result<(PathBuf, usize)> {
    let store = file(config)?;
    let failed = || format!("cannot read {}", folder.display());
    let name = store.file_stem().unwrap_or_default().to_string_lossy();
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let file = entry.with_context(failed)?.file_name();
        let Some(file) = file.to_str() else { continue };
        if let Some(copy) = Copy::parse(&name, file) {
            copies.push((copy, file.to_owned()));
        } else if file
            .strip_suffix(".part")
            .is_some_and(|file| Copy::parse(&name, file).is_some())
        {
            // Of a run that was killed.
            let _ = fs::remove_file(folder.join(file));
        }
    }
    copies.sort();
    let number = copies.last().map_or(0, |(copy, _)| copy.number) + 1;
    let now = SnapshotId::new(SystemTime::now(), 0);
    let time = now.as_str().split('-').next().unwrap_or_default();
    let to = folder.join(format!("{name}.{number:06}.{time}.db"));
    store::backup(store, &to)?;
    let made = Copy::parse(&name, &to.file_name().unwrap_or_default().to_string_lossy());
    copies.extend(made.map(|copy| (copy, String::new())));
    let keep = Keep {
        last: order.keep_last.max(1),
        daily: order.keep_daily,
    };
    let times: Vec<_> = copies.iter().map(|(copy, _)| copy.at).collect();
    let surplus = keep.surplus_of(&times);
    for &it in &surplus {
        let old = folder.join(&copies[it].1);
        fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
    }
    Ok((to, surplus.len()))
}

/// What the name of a numbered copy says. The number tells their order, whatever clocks did.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    number: u64,
    /// In milliseconds, as if each month had 31 days: so each day is another.
    at: u64,
}

impl Copy {
    /// `<name>.<number>.<time>.db`; the oldest ones have no number.
    fn parse(name: &str, file: &str) -> Option<Self> {
        const DAY: u64 = 86_400;
        let words = file.strip_prefix(name)?.strip_prefix('.')?;
        let words: Vec<_> = words.strip_suffix(".db")?.split('.').collect();
        let (number, time) = match words.as_slice() {
            [number, time] if number.len() >= 6 => (number.parse().ok()?, time),
            [time] => (0, time),
            _ => return None,
        };
        // It is the first part of an id.
        format!("{time}-0000").parse::<SnapshotId>().ok()?;
        let digits = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
        let days = (digits(0, 4)? * 12 + digits(4, 6)?) * 31 + digits(6, 8)?;
        let secs = (digits(9, 11)? * 60 + digits(11, 13)?) * 60 + digits(13, 15)?;
        Some(Self {
            number,
            at: (days * DAY + secs.min(DAY - 1)) * 1000,
        })
    }
}

pub(super) fn restore(config: &Config, from: &Path) -> Result<Answer> {
    if UnixStream::connect(config.control_socket()).is_ok() {
        bail!("the gateway uses the store; stop it first");
    }
    let kept = store::restore(from, file(config)?)?;
    let mut said = format!("the store is now what {} is", from.display());
    if let Some(kept) = &kept {
        let _ = write!(said, "; what it was is in {}", kept.display());
    }
    let value = json!({ "from": from, "kept": kept });
    Ok(Answer::sentence(said, value))
}

#[cfg(test)]
mod tests {
    use super::Copy;

    #[test]
    fn the_copies_are_told_by_their_names() {
        let parse = |file| Copy::parse("hypervisor", file);
        let first = parse("hypervisor.20260131T235959Z.db").unwrap();
        let second = parse("hypervisor.000002.20260201T000000Z.db").unwrap();
        let later = parse("hypervisor.1000000.20260131T000000Z.db").unwrap();
        assert!(first < second && second < later);
        assert_ne!(first.at / 86_400_000, second.at / 86_400_000);
        for file in [
            "hypervisor.db",
            "hypervisor.db.part",
            "hypervisor.x.20260131T235959Z.db",
            "hypervisor.000002.20260131.db",
            "hypervisor.000002.20260131T235959Z.db.part",
            "other.000002.20260131T235959Z.db",
            "hypervisor.000002.20260131T235959Z.db-wal",
        ] {
            assert_eq!(parse(file), None, "{file}");
        }
    }
}
