//! Volumes that a unit of the host's copies and replaces, as root: what a sandbox writes belongs to
//! users of its own, and this program may not even see it.

use super::bus::Bus;
use super::job::{Job, Verb, none_at_work};
use super::names::{Template, Unit, is_order_unit, order_unit};
use super::slots::Slots;
use super::streams::Socket;
use super::unit::is_down;
use crate::config;
use crate::runtime::backend::{self, StartLock};
use crate::runtime::{RuntimeError, Spec};
use ::volumes::{Archived, Backup, Reason, Received, SendPass, Sent, Snapshot, SnapshotId, Usage};
use async_trait::async_trait;
use dashmap::DashMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The volumes of all sandboxes.
pub(super) struct Volumes {
    bus: Arc<Bus>,
    slots: Arc<Slots>,
    /// The name of a sandbox's unit, with the placeholder.
    sandbox: String,
    kept: Option<Kept>,
    /// Where a unit takes a stream.
    streams: Option<PathBuf>,
    /// What tells no two orders of a sandbox apart is ordered one at a time: each has the same
    /// file for its result.
    turns: DashMap<String, Arc<Mutex<()>>>,
}

/// The unit that does it, and where it says how that went.
struct Kept {
    unit: Template,
    results: PathBuf,
}

impl Kept {
    /// The config's key and what it says.
    fn template(&self, spec: &Spec) -> Result<(&'static str, String), RuntimeError> {
        self.unit.of(spec).ok_or_else(unsupported)
    }
}

/// What is in a result's file.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    ok: Value,
    error: Option<String>,
    /// Which kind of error it is.
    code: Option<String>,
}

/// How orders begin that put another volume in a volume's place.
const REPLACING: [&str; 2] = ["replace:", "put-back:"];

/// How long a unit's last words may take after its end.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Which file it is: each result is a new one.
type Identity = (u64, i64, i64);

impl Volumes {
    pub(super) fn new(
        bus: Arc<Bus>,
        slots: Arc<Slots>,
        config: &config::Runtime,
        of_slots: &config::Slots,
    ) -> Self {
        let unit = Template::new(
            ("runtime.volume_unit", &config.volume_unit),
            ("slots.volume_unit", &of_slots.volume_unit),
        );
        let results = config.results_dir.clone();
        Self {
            bus,
            slots,
            sandbox: config.unit.clone(),
            kept: results.map(|results| Kept { unit, results }),
            streams: config.streams_dir.clone(),
            turns: DashMap::new(),
        }
    }

    /// Forgets what it remembers of a sandbox.
    pub(super) fn forget(&self, spec: &Spec) {
        self.turns.remove(&spec.name);
    }

    /// Has a unit do this, and reads what came of it.
    async fn order<T: DeserializeOwned>(
        &self,
        spec: &Spec,
        order: &str,
    ) -> Result<T, RuntimeError> {
        let kept = self.kept.as_ref().ok_or_else(unsupported)?;
        let (key, template) = kept.template(spec)?;
        let unit = order_unit((key, &template), &spec.name, order).map_err(RuntimeError::Volume)?;
        let ready = self.slots.make_ready(spec).await;
        ready.map_err(RuntimeError::Volume)?;
        let file = kept.results.join(&spec.name).join(format!("{order}.json"));
        let before = identity(&file);
        let mut job = Job::queue(&self.bus, &unit, Verb::Start)
            .await
            .map_err(RuntimeError::Volume)?;
        let done = job.done(&unit).await;
        let outcome = if identity(&file) == before {
            None // Of an order before, if there is one.
        } else {
            Some(read(&file)?)
        };
        match (done, outcome) {
            (_, Some(outcome)) if outcome.error.is_some() => Err(outcome.into_error()),
            (Ok(()), Some(outcome)) => serde_json::from_value(outcome.ok)
                .map_err(|error| RuntimeError::Volume(unreadable(&file, &error))),
            (Ok(()), None) => {
                let (unit, file) = (unit.name, file.display());
                Err(RuntimeError::Volume(format!(
                    "{unit} left no result in {file}; see `journalctl -u {unit}`"
                )))
            }
            (Err(cause), _) => Err(RuntimeError::Volume(cause)),
        }
    }

    /// Has a unit do this with a stream.
    async fn streamed<T: DeserializeOwned>(
        &self,
        spec: &Spec,
        (order, id): (&str, &SnapshotId),
        stream: UnixStream,
    ) -> Result<T, RuntimeError> {
        let ready = self.slots.make_ready(spec).await;
        ready.map_err(RuntimeError::Volume)?;
        let socket = Socket::open(self.streams.as_ref(), spec, id)?;
        let order = format!("{order}:{id}");
        let (order, carried) = (self.order(spec, &order), socket.carry(stream));
        tokio::pin!(order, carried);
        // Whatever becomes of the stream, the unit finds out, and says so.
        tokio::select! {
            done = &mut order => {
                // What it said last is on its way.
                let _ = tokio::time::timeout(LAST_WORDS, carried).await;
                done
            }
            _ = &mut carried => order.await,
        }
    }

    /// Others start and stop units as well.
    async fn refuse_running(&self, spec: &Spec) -> Result<(), RuntimeError> {
        let unit = Unit::of(&self.sandbox, &spec.name);
        let is_down = is_down(&self.bus, &unit).await;
        if is_down.map_err(RuntimeError::Volume)? {
            return Ok(());
        }
        let name = unit.name;
        Err(RuntimeError::Volume(format!(
            "the volume of sandbox `{}` cannot be replaced while {name} runs; stop it first",
            spec.name
        )))
    }

    /// The same for an order that has no id in it.
    async fn repeatable<T: DeserializeOwned>(
        &self,
        spec: &Spec,
        order: &str,
    ) -> Result<T, RuntimeError> {
        let turn = Arc::clone(&self.turns.entry(spec.name.clone()).or_default());
        let _turn = turn.lock().await;
        self.order(spec, order).await
    }
}

#[async_trait]
impl backend::Volumes for Volumes {
    async fn prepare(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        self.order(spec, &format!("prepare:{id}")).await
    }

    /// The unit sees at its beginning whether anything runs: nothing may start after that.
    async fn snapshot(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        reason: Reason,
        starts: Arc<StartLock>,
    ) -> Result<Snapshot, RuntimeError> {
        let _unstarted = starts.lock().await;
        let order = format!("snapshot:{id}:{}", word(reason));
        self.order(spec, &order).await
    }

    async fn replace(
        &self,
        spec: &Spec,
        from: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        self.refuse_running(spec).await?;
        let order = format!("replace:{}:{id}:{aside}", from.name);
        self.order(spec, &order).await
    }

    async fn put_back(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        aside: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        self.refuse_running(spec).await?;
        self.order(spec, &format!("put-back:{id}:{aside}")).await
    }

    async fn list(&self, spec: &Spec) -> Result<Vec<Snapshot>, RuntimeError> {
        self.repeatable(spec, "list").await
    }

    async fn remove(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        self.order(spec, &format!("remove:{id}")).await
    }

    async fn prune(
        &self,
        spec: &Spec,
        held: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, RuntimeError> {
        // A unit's name has room for some: those that are there.
        let there = self.list(spec).await?;
        let held = there.iter().filter(|it| held.contains(&it.id));
        let order = held.fold("prune".to_owned(), |order, it| format!("{order}:{}", it.id));
        self.repeatable(spec, &order).await
    }

    /// Its unit sees at the beginning whether anything runs. Most of its time is none in which a
    /// start may wait, so what starts meanwhile does.
    async fn back_up(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        _starts: Arc<StartLock>,
    ) -> Result<Backup, RuntimeError> {
        self.order(spec, &format!("backup:{id}")).await
    }

    async fn backups(&self, spec: &Spec) -> Result<Vec<Backup>, RuntimeError> {
        self.repeatable(spec, "backups").await
    }

    async fn import(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        new: &SnapshotId,
    ) -> Result<Snapshot, RuntimeError> {
        self.order(spec, &format!("import:{id}:{new}")).await
    }

    async fn usage(&self, spec: &Spec) -> Result<Usage, RuntimeError> {
        self.repeatable(spec, "usage").await
    }

    async fn archive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        self.refuse_running(spec).await?;
        self.order(spec, &format!("archive:{id}")).await
    }

    async fn unarchive(&self, spec: &Spec, id: &SnapshotId) -> Result<Archived, RuntimeError> {
        self.refuse_running(spec).await?;
        self.order(spec, &format!("unarchive:{id}")).await
    }

    async fn discard(&self, spec: &Spec, id: &SnapshotId) -> Result<(), RuntimeError> {
        self.order(spec, &format!("discard:{id}")).await
    }

    async fn send(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        pass: SendPass,
        stream: UnixStream,
    ) -> Result<Sent, RuntimeError> {
        let order = match pass {
            SendPass::Ahead => "send",
            SendPass::Last => {
                self.refuse_running(spec).await?;
                "send-last"
            }
        };
        self.streamed(spec, (order, id), stream).await
    }

    async fn receive(
        &self,
        spec: &Spec,
        id: &SnapshotId,
        stream: UnixStream,
    ) -> Result<Received, RuntimeError> {
        self.streamed(spec, ("receive", id), stream).await
    }

    async fn recover(&self, spec: &Spec) -> Result<(), RuntimeError> {
        let Some(kept) = &self.kept else {
            return Ok(()); // Nothing was ever begun.
        };
        // What was ordered before a gateway's end may still be about to begin.
        let Ok((key, template)) = kept.template(spec) else {
            return Ok(());
        };
        let unit =
            order_unit((key, &template), &spec.name, "recover").map_err(RuntimeError::Volume)?;
        let is_one = |name: &str| {
            let begins = |order| is_order_unit(&template, &spec.name, order, name);
            REPLACING.into_iter().any(begins)
        };
        let none = none_at_work(&self.bus, &unit, is_one).await;
        none.map_err(RuntimeError::Volume)?;
        self.repeatable(spec, "recover").await
    }
}

impl Outcome {
    fn into_error(self) -> RuntimeError {
        RuntimeError::of_volume(
            &self.code.unwrap_or_default(),
            self.error.unwrap_or_default(),
        )
    }
}

fn unsupported() -> RuntimeError {
    RuntimeError::Unsupported(
        "runtime.volume_unit and runtime.results_dir are not set, so nothing here copies volumes; set both".to_owned(),
    )
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Asked => "asked",
        Reason::Promote => "promote",
        Reason::Fork => "fork",
        Reason::Restore => "restore",
        Reason::Aside => "aside",
        Reason::Backup => "backup",
    }
}

fn identity(file: &Path) -> Option<Identity> {
    let about = fs::metadata(file).ok()?;
    Some((about.ino(), about.ctime(), about.ctime_nsec()))
}

fn read(file: &Path) -> Result<Outcome, RuntimeError> {
    let text = fs::read(file).map_err(|error| RuntimeError::Volume(unreadable(file, &error)))?;
    serde_json::from_slice(&text).map_err(|error| RuntimeError::Volume(unreadable(file, &error)))
}

fn unreadable(file: &Path, error: &dyn std::error::Error) -> String {
    format!("cannot read the result in {} ({error})", file.display())
}
