//! Releases as links of the host's, and the one that it starts each sandbox with: its pin.
//!
//! `<releases_dir>/<workspace>/release-<number>-link` leads to a system's closure, and
//! `<releases_dir>/<workspace>/<sandbox>` to one of those links. A unit of the host's makes them;
//! here they are only read.

use super::bus::Bus;
use super::job::{Job, Verb, none_at_work};
use super::names::{Template, Unit, is_order_unit, order_unit};
use crate::config;
use crate::runtime::{Release, ReleaseContent, RuntimeError, Spec};
use crate::timestamp::Timestamp;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::timeout;

/// What the change of a pin may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Who added what is there.
const HOST: &str = "the host";

/// The releases of all workspaces.
pub(super) struct Releases {
    bus: Arc<Bus>,
    kept: Option<Kept>,
}

/// Where they are, and the unit that changes a pin.
struct Kept {
    dir: PathBuf,
    unit: Template,
}

impl Releases {
    pub(super) fn new(bus: Arc<Bus>, config: &config::Runtime, slots: &config::Slots) -> Self {
        let unit = Template::new(
            ("runtime.release_unit", &config.release_unit),
            ("slots.release_unit", &slots.release_unit),
        );
        let dir = config.releases_dir.clone();
        let kept = dir.map(|dir| Kept { dir, unit });
        Self { bus, kept }
    }

    /// All of a workspace's, oldest first.
    pub(super) fn all(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        let Some(kept) = &self.kept else {
            return Err(unsupported());
        };
        let folder = kept.folder(workspace);
        let read = folder.and_then(|folder| read_all(&folder));
        read.map_err(|cause| releases(workspace, cause))
    }

    /// The newest of a workspace's; 0 where none are kept.
    pub(super) fn newest(&self, workspace: &str) -> Result<u64, RuntimeError> {
        let Some(kept) = &self.kept else {
            return Ok(0);
        };
        let none = || {
            let cause = format!("there is none in {}; deploy one", kept.dir.display());
            releases(workspace, cause)
        };
        let newest = self.all(workspace)?.pop().ok_or_else(none)?;
        Ok(newest.number)
    }

    /// The closure of this number.
    pub(super) fn content(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<ReleaseContent, RuntimeError> {
        let all = self.all(workspace)?;
        let found = all.into_iter().find(|it| it.number == number);
        let found = found.ok_or_else(|| RuntimeError::NoRelease {
            workspace: workspace.to_owned(),
            number,
        })?;
        Ok(ReleaseContent::System(found.what))
    }

    /// The newest that is just this.
    pub(super) fn of(
        &self,
        workspace: &str,
        content: &ReleaseContent,
    ) -> Result<u64, RuntimeError> {
        let ReleaseContent::System(closure) = content else {
            return Err(RuntimeError::InvalidRelease(
                "it is a command, and this machine runs sandboxes as containers; move the workspace to one that runs processes".to_owned(),
            ));
        };
        let mut all = self.all(workspace)?.into_iter();
        let found = all.rfind(|it| it.what == *closure);
        let none = || {
            RuntimeError::InvalidRelease(format!(
                "it is {closure}, which is none of this machine's releases; deploy the same configuration here first"
            ))
        };
        Ok(found.ok_or_else(none)?.number)
    }

    /// The one that a sandbox is pinned to.
    pub(super) fn pinned(&self, spec: &Spec) -> Result<Option<u64>, RuntimeError> {
        let Some(kept) = &self.kept else {
            return Ok(None);
        };
        kept.pinned(spec)
            .map_err(|cause| releases(spec.release_set(), cause))
    }

    /// Has the sandbox pinned to this one; whether that is new.
    pub(super) async fn pin(&self, spec: &Spec, number: u64) -> Result<bool, String> {
        if number == 0 {
            return Ok(false);
        }
        let Some(kept) = &self.kept else {
            return Err(unsupported().to_string());
        };
        let Some((key, template)) = kept.unit.of(spec) else {
            return Err(unsupported().to_string());
        };
        let unit = order_unit((key, &template), &spec.name, &number.to_string())?;
        let change = self.change_pin(kept, spec, number, (&template, &unit));
        let changed = timeout(LIMIT, change).await;
        changed.unwrap_or_else(|_| {
            let (name, secs) = (&unit.name, LIMIT.as_secs());
            Err(format!(
                "{name} took longer than {secs} s; see `journalctl -u {name}`"
            ))
        })
    }

    async fn change_pin(
        &self,
        kept: &Kept,
        spec: &Spec,
        number: u64,
        (template, unit): (&str, &Unit),
    ) -> Result<bool, String> {
        // One that was ordered before, and given up on, would have the last word.
        let is_one = |name: &str| is_order_unit(template, &spec.name, "", name);
        none_at_work(&self.bus, unit, is_one).await?;
        if kept.pinned(spec)? == Some(number) {
            return Ok(false);
        }
        if !kept.has(spec, number)? {
            let (workspace, number) = (spec.release_set().to_owned(), number);
            return Err(RuntimeError::NoRelease { workspace, number }.to_string());
        }
        let mut job = Job::queue(&self.bus, unit, Verb::Start).await?;
        job.done(unit).await?;
        if kept.pinned(spec)? == Some(number) {
            return Ok(true);
        }
        let unit = &unit.name;
        Err(format!(
            "{unit} did not change what it starts to release {number}; see `journalctl -u {unit}`"
        ))
    }
}

impl Kept {
    fn folder(&self, workspace: &str) -> Result<PathBuf, String> {
        if is_name(workspace) {
            return Ok(self.dir.join(workspace));
        }
        Err("its name cannot name a folder; give it another".to_owned())
    }

    fn pinned(&self, spec: &Spec) -> Result<Option<u64>, String> {
        let folder = self.folder(spec.release_set())?;
        let pin = folder.join(&spec.name);
        let target = match fs::read_link(&pin) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            target => target.map_err(|error| format!("cannot read {} ({error})", pin.display()))?,
        };
        let name = target.strip_prefix(&folder).unwrap_or(&target);
        let number = name.to_str().and_then(number_of);
        number.map(Some).ok_or_else(|| {
            format!(
                "{} leads to {}, which is no release of its workspace",
                pin.display(),
                target.display()
            )
        })
    }

    fn has(&self, spec: &Spec, number: u64) -> Result<bool, String> {
        let link = self.folder(spec.release_set())?.join(link_of(number));
        match fs::symlink_metadata(&link) {
            Ok(found) => Ok(found.is_symlink()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("cannot read {} ({error})", link.display())),
        }
    }
}

fn unsupported() -> RuntimeError {
    RuntimeError::Unsupported(
        "runtime.releases_dir and runtime.release_unit are not set, so there are no releases; set both, or start what the host has".to_owned(),
    )
}

fn releases(workspace: &str, cause: String) -> RuntimeError {
    RuntimeError::Releases {
        workspace: workspace.to_owned(),
        cause,
    }
}

fn read_all(folder: &Path) -> Result<Vec<Release>, String> {
    let unreadable = |error: io::Error| format!("cannot read {} ({error})", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let Some(number) = name.to_str().and_then(number_of) else {
            continue;
        };
        let (closure, about) = match (fs::read_link(entry.path()), entry.metadata()) {
            // Pruned just now.
            (Err(error), _) | (_, Err(error)) if error.kind() == ErrorKind::NotFound => continue,
            (closure, about) => (closure.map_err(unreadable)?, about.map_err(unreadable)?),
        };
        // Nix tells its generations' age by their links, too.
        let made = about.modified().ok();
        let made = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        all.push(Release {
            number,
            what: closure.display().to_string(),
            added_at: made.map(|since| Timestamp::from_millis(0).after(since)),
            added_by: HOST.to_owned(),
        });
    }
    all.sort_by_key(|release| release.number);
    Ok(all)
}

fn link_of(number: u64) -> String {
    format!("release-{number}-link")
}

/// The number in a link's name.
fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("release-")?.strip_suffix("-link")?;
    let number = number.parse().ok()?;
    (number > 0 && name == link_of(number)).then_some(number)
}

fn is_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
}
