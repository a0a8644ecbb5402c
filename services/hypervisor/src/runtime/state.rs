//! What a sandbox's supervisor shows, and everyone else reads without waiting for it.

use super::backend::StartLock;
use super::cold_starts::ColdStarts;
use super::disk::Disk;
use super::probe::{self, ProbeError};
use super::run::Run;
use super::{RuntimeError, Seal, Spec, Status, StoppedBy};
use crate::config::{self, Address};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Timers go no further than two years; whoever wants no probes is well served with one.
const LONGEST_PAUSE: Duration = Duration::from_hours(365 * 24);

/// Written by the supervisor alone, or by the watch.
pub(super) struct SandboxState {
    pub(super) spec: Spec,
    pub(super) config: Arc<config::Runtime>,
    pub(super) seal: Arc<Seal>,
    pub(super) snapshot: ArcSwap<Snapshot>,
    /// There is one while requests may enter.
    pub(super) run: ArcSwapOption<Run>,
    /// Those before it that may still be held.
    left: Mutex<Vec<Weak<Run>>>,
    /// Whether it is stopped when idle; its role decides. None until that matters, since one
    /// takes half a kilobyte.
    idle_stop_enabled: OnceLock<watch::Sender<bool>>,
    /// What the next start runs; 0 is the newest.
    release: AtomicU64,
    /// Whether what runs says who it is.
    pub(super) names_itself: AtomicBool,
    /// Held while something is done to its volume: one thing at a time.
    pub(super) volume: Arc<tokio::sync::Mutex<()>>,
    /// How much its volume takes.
    pub(super) disk: Disk,
    /// Held while it is started, and while its volume must not be used.
    pub(super) starts: Arc<StartLock>,
    /// While there is one, no request starts it.
    pub(super) stopped_by: ArcSwapOption<StoppedBy>,
    /// Whether no request may start it, since it is being changed.
    pub(super) reserved: AtomicBool,
    /// Whether somebody waits for a start on whom others wait.
    pub(super) on_trial: AtomicBool,
    /// Those of all sandboxes.
    pub(super) cold_starts: Arc<ColdStarts>,
    /// How often it crashed.
    pub(super) crashed: AtomicU64,
    /// Probes in a row that failed, of one that is only watched.
    pub(super) failed: AtomicU32,
}

/// How the sandbox is, apart from who holds it.
pub(super) struct Snapshot {
    pub(super) status: Status,
    /// Where it listens, while that is known.
    pub(super) address: Option<SocketAddr>,
    /// What went wrong last.
    pub(super) cause: Option<String>,
}

impl SandboxState {
    pub(super) fn new(spec: Spec, config: Arc<config::Runtime>, seal: Arc<Seal>) -> Self {
        let snapshot = Snapshot {
            status: Status::Stopped,
            address: None,
            cause: None,
        };
        Self {
            spec,
            config,
            seal,
            snapshot: ArcSwap::from_pointee(snapshot),
            run: ArcSwapOption::empty(),
            left: Mutex::default(),
            idle_stop_enabled: OnceLock::new(),
            release: AtomicU64::new(0),
            names_itself: AtomicBool::new(true),
            volume: Arc::default(),
            disk: Disk::default(),
            starts: Arc::default(),
            stopped_by: ArcSwapOption::empty(),
            reserved: AtomicBool::new(false),
            on_trial: AtomicBool::new(false),
            cold_starts: Arc::default(),
            crashed: AtomicU64::new(0),
            failed: AtomicU32::new(0),
        }
    }

    pub(super) fn release(&self) -> u64 {
        self.release.load(Ordering::Acquire)
    }

    pub(super) fn set_release(&self, number: u64) {
        self.release.store(number, Ordering::Release);
    }

    /// Why no request may start it: it is being changed, or a person stopped it.
    pub(super) fn kept_at_rest(&self) -> Option<RuntimeError> {
        if self.reserved.load(Ordering::Acquire) {
            let sandbox = self.spec.name.clone();
            return Some(RuntimeError::Reserved { sandbox });
        }
        let stopped_by = self.stopped_by.load();
        stopped_by.as_ref().map(|it| RuntimeError::StoppedByHand {
            sandbox: self.spec.name.clone(),
            workspace: self.spec.workspace.clone(),
            by: it.by.clone(),
            at: it.at,
        })
    }

    pub(super) fn show(&self, status: Status, address: Option<SocketAddr>, cause: Option<String>) {
        self.snapshot.store(Arc::new(Snapshot {
            status,
            address,
            cause,
        }));
    }

    /// Lets requests in.
    pub(super) fn open(&self, address: SocketAddr, started: Instant) -> Arc<Run> {
        let run = Arc::new(Run::new(address, started));
        self.show(Status::Running, Some(address), None);
        self.run.store(Some(Arc::clone(&run)));
        run
    }

    /// Turns requests away. Those inside stay, and are counted by the gate.
    pub(super) fn close(&self) {
        let mut left = self.left();
        if let Some(run) = self.run.swap(None) {
            run.gate.close();
            left.retain(|earlier| earlier.strong_count() > 0);
            left.push(Arc::downgrade(&run));
        }
    }

    /// How many hold it, or what it was before it was closed.
    pub(super) fn holds(&self) -> usize {
        let left = self.left(); // First, so that none is missed that is being closed.
        let left = left.iter().filter_map(Weak::upgrade);
        let now = self.run.load_full();
        left.chain(now).map(|it| it.gate.inside()).sum()
    }

    fn left(&self) -> MutexGuard<'_, Vec<Weak<Run>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves once nobody has held the run for `runtime.idle_secs`, with its gate closed.
    pub(super) async fn idle(&self, run: &Run) {
        let limit = Duration::from_secs(self.config.idle_secs);
        let mut enabled = self.idle_stop_enabled().subscribe();
        loop {
            let _ = enabled.wait_for(|enabled| *enabled).await;
            let disabled = async {
                let _ = enabled.wait_for(|enabled| !enabled).await;
            };
            tokio::select! {
                () = run.idle_for(limit) => return,
                () = disabled => {}
            }
        }
    }

    pub(super) fn set_idle_stop(&self, enabled: bool) {
        if !enabled || self.idle_stop_enabled.get().is_some() {
            self.idle_stop_enabled().send_replace(enabled);
        }
    }

    fn idle_stop_enabled(&self) -> &watch::Sender<bool> {
        self.idle_stop_enabled
            .get_or_init(|| watch::Sender::new(true))
    }

    pub(super) fn is_open(&self) -> bool {
        let run = self.run.load();
        run.as_ref().is_some_and(|run| !run.gate.is_closed())
    }

    /// Probes each place where it may be; the first at which it is healthy.
    pub(super) async fn find(&self, address: &Address) -> Result<SocketAddr, ProbeError> {
        let mut fault: Option<ProbeError> = None;
        for place in address.places() {
            match self.probe(place).await {
                Ok(()) => return Ok(place),
                // What answers there tells more than that nothing does elsewhere.
                Err(error) if fault.as_ref().is_none_or(ProbeError::is_silence) => {
                    fault = Some(error.after(fault));
                }
                Err(_) => {}
            }
        }
        Err(fault.unwrap_or_else(|| ProbeError::Stopped(self.spec.name.clone())))
    }

    pub(super) async fn probe(&self, address: SocketAddr) -> Result<(), ProbeError> {
        let timeout = Duration::from_secs(self.config.probe_timeout_secs);
        let named = self.names_itself.load(Ordering::Acquire);
        probe::probe(&self.spec, named, address, timeout).await
    }

    /// So many crashes in a row, and it has failed. On trial one is an accident, and two are none.
    pub(super) fn most_crashes(&self) -> u32 {
        let most = self.config.max_restarts;
        if self.on_trial.load(Ordering::Acquire) {
            most.min(2)
        } else {
            most
        }
    }

    pub(super) fn start_limit(&self) -> Duration {
        Duration::from_secs(self.config.start_secs)
    }

    pub(super) fn stop_limit(&self) -> Duration {
        Duration::from_secs(self.config.stop_secs)
    }

    pub(super) fn probe_pause(&self) -> Duration {
        Duration::from_secs(self.config.probe_secs).min(LONGEST_PAUSE)
    }
}
