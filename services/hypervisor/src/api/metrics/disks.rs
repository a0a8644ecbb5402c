//! The room on the disks, and how old the backups on them are.

use super::exposition::{Exposition, PLAIN};
use crate::api::Api;
use crate::config::{Config, RuntimeKind};
use rustix::fs::statvfs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The link to a sandbox's newest backup, which is made anew with each.
const LATEST: &str = "latest";

pub(super) fn tell(page: &mut Exposition, api: &Api) {
    let rooms: Vec<_> = folders(&api.config)
        .into_iter()
        .filter_map(|(of, folder)| {
            let disk = statvfs(&folder).ok()?;
            let labels = vec![("folder", of.to_owned())];
            Some((
                labels,
                disk.f_frsize * disk.f_bavail,
                disk.f_frsize * disk.f_blocks,
            ))
        })
        .collect();
    page.gauges(
        "choiros_filesystem_avail_bytes",
        "Room on the disk of a folder.",
        rooms
            .iter()
            .map(|(labels, avail, _)| (labels.clone(), *avail)),
    );
    page.gauges(
        "choiros_filesystem_size_bytes",
        "Size of the disk of a folder.",
        rooms
            .iter()
            .map(|(labels, _, size)| (labels.clone(), *size)),
    );
    backups(page, api, api.config.runtime.backups_dir.as_deref());
}

/// The folders that this program knows of.
fn folders(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let parent = config.store.path.parent();
    let store = parent.filter(|it| !it.as_os_str().is_empty());
    let mut folders = vec![("store", store.unwrap_or(Path::new(".")).to_owned())];
    if config.runtime.kind == RuntimeKind::Process {
        folders.push(("sandboxes", config.runtime.data_dir.clone()));
    }
    folders.extend(config.runtime.backups_dir.clone().map(|it| ("backups", it)));
    folders
}

/// When each sandbox's last backup was made; of those that share a label, the oldest.
fn backups(page: &mut Exposition, api: &Api, folder: Option<&Path>) {
    let mut made: BTreeMap<(String, String), f64> = BTreeMap::new();
    let mut missing = 0_u64;
    let workspaces = folder.map(|_| api.routes.all());
    for workspace in workspaces.into_iter().flatten() {
        let label = api.labels.of(&workspace.name);
        let has_own = label == *workspace.name;
        for route in workspace.pair().both() {
            let name = route.sandbox.name();
            let Some(secs) = folder.and_then(|folder| last(&folder.join(name))) else {
                missing += 1;
                continue;
            };
            let sandbox = if has_own { name } else { label.as_str() };
            let oldest = made
                .entry((label.clone(), sandbox.to_owned()))
                .or_insert(secs);
            *oldest = oldest.min(secs);
        }
    }
    page.gauges(
        "choiros_backup_timestamp_seconds",
        "When the last backup of a sandbox's data was made; of those that share a label, of the one whose is the oldest.",
        made.into_iter().map(|((workspace, sandbox), secs)| {
            (vec![("workspace", workspace), ("sandbox", sandbox)], secs)
        }),
    );
    page.gauges(
        "choiros_backups_missing",
        "Sandboxes of whose data there is no backup.",
        folder.map(|_| (PLAIN, missing)),
    );
}

fn last(folder: &Path) -> Option<f64> {
    let link = folder.join(LATEST).symlink_metadata().ok()?;
    let since = link.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}
