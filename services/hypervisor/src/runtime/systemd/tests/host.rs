//! A systemd of our own, at the other end of a socket instead of a bus.
#![allow(clippy::unused_async, reason = "D-Bus methods are async")]

use crate::config;
use crate::role::Role;
use crate::runtime::systemd::Systemd;
use crate::runtime::systemd::bus::{Bus, JobRow};
use crate::runtime::{Runtime, Sandbox, Spec};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, io};
use tempfile::TempDir;
use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, Guid, ObjectPath, OwnedObjectPath, fdo, interface};

const MANAGER: &str = "/org/freedesktop/systemd1";
const UNIT: &str = "/org/freedesktop/systemd1/unit/one";
const LATE: &str = "/org/freedesktop/systemd1/job/late";
const NAME: &str = "container@sandbox-live.service";

/// What a unit for an order does, by the unit's name.
type Work = Box<dyn FnMut(&str) -> io::Result<()> + Send>;

struct Manager {
    calls: Arc<Mutex<Vec<String>>>,
    denies: Arc<AtomicBool>,
    orders: Arc<Mutex<Work>>,
    meanwhile: Arc<Mutex<Option<&'static str>>>,
    late: Arc<Mutex<Option<&'static str>>>,
}

impl Manager {
    fn called(&self, verb: &'static str, name: &str) -> fdo::Result<OwnedObjectPath> {
        let call = match name {
            NAME => verb.to_owned(),
            other => format!("{verb} {other}"),
        };
        let mut calls = self.calls.lock().unwrap();
        calls.push(call);
        if self.denies.load(Ordering::Relaxed) {
            return Err(fdo::Error::AccessDenied("Access denied".into()));
        }
        let job = format!("/org/freedesktop/systemd1/job/{}", calls.len());
        Ok(ObjectPath::try_from(job).unwrap().into())
    }

    /// What comes of an order. It waits as a process of its own would, so that nobody waits for it
    /// but who asked.
    async fn ordered(&self, name: &str) -> &'static str {
        let (orders, name) = (self.orders.clone(), name.to_owned());
        let work = move || (orders.lock().unwrap())(&name);
        match tokio::task::spawn_blocking(work).await.unwrap() {
            Ok(()) => "done",
            Err(_) => "failed",
        }
    }
}

/// Does the job of the sandbox's unit, and says so once it is done.
fn work(systemd: &Connection, unit: &str, job: OwnedObjectPath, active: &'static str) {
    let (systemd, unit) = (systemd.clone(), unit.to_owned());
    tokio::spawn(async move {
        set(&systemd, active, "success").await;
        done(&systemd, &job, &unit, "done").await;
    });
}

fn is_sandbox(unit: &str) -> bool {
    unit.starts_with("container@")
}

async fn done(systemd: &Connection, job: &OwnedObjectPath, unit: &str, result: &str) {
    let emitter = SignalEmitter::new(systemd, MANAGER).unwrap();
    Manager::job_removed(&emitter, 7, job.as_ref(), unit, result)
        .await
        .unwrap();
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    async fn load_unit(&self, name: &str) -> OwnedObjectPath {
        assert!(is_sandbox(name), "{name}");
        ObjectPath::try_from(UNIT).unwrap().into()
    }

    async fn start_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(connection)] systemd: &Connection,
    ) -> fdo::Result<OwnedObjectPath> {
        assert_eq!(mode, "replace");
        let job = self.called("start", name)?;
        if is_sandbox(name) {
            work(systemd, name, job.clone(), "active");
            return Ok(job);
        }
        let (systemd, unit, result) = (systemd.clone(), name.to_owned(), self.ordered(name).await);
        let order = job.clone();
        let meanwhile = self.meanwhile.lock().unwrap().take();
        tokio::spawn(async move {
            if let Some(active) = meanwhile {
                set(&systemd, active, "success").await;
            }
            done(&systemd, &order, &unit, result).await;
        });
        Ok(job)
    }

    async fn stop_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(connection)] systemd: &Connection,
    ) -> fdo::Result<OwnedObjectPath> {
        assert_eq!(mode, "replace");
        assert!(is_sandbox(name), "{name}");
        let job = self.called("stop", name)?;
        work(systemd, name, job.clone(), "inactive");
        Ok(job)
    }

    /// What is late is done once somebody asks.
    async fn list_jobs(&self, #[zbus(connection)] systemd: &Connection) -> Vec<JobRow> {
        let Some(unit) = self.late.lock().unwrap().take() else {
            return Vec::new();
        };
        let job: OwnedObjectPath = ObjectPath::try_from(LATE).unwrap().into();
        let row = (
            6,
            unit.to_owned(),
            "start".to_owned(),
            "running".to_owned(),
            job.clone(),
            job.clone(),
        );
        let (systemd, result) = (systemd.clone(), self.ordered(unit).await);
        tokio::spawn(async move { done(&systemd, &job, unit, result).await });
        vec![row]
    }

    #[zbus(signal)]
    async fn job_removed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: ObjectPath<'_>,
        unit: &str,
        result: &str,
    ) -> zbus::Result<()>;
}

struct Unit(&'static str);

#[interface(name = "org.freedesktop.systemd1.Unit")]
impl Unit {
    #[zbus(property)]
    async fn active_state(&self) -> String {
        self.0.into()
    }
}

struct Service(&'static str);

#[interface(name = "org.freedesktop.systemd1.Service")]
impl Service {
    #[zbus(property)]
    async fn result(&self) -> String {
        self.0.into()
    }
}

/// What systemd says of the unit from now on.
pub(super) async fn set(systemd: &Connection, active: &'static str, result: &'static str) {
    let objects = systemd.object_server();
    let service = objects.interface::<_, Service>(UNIT).await.unwrap();
    service.get_mut().await.0 = result;
    let unit = objects.interface::<_, Unit>(UNIT).await.unwrap();
    unit.get_mut().await.0 = active;
    let emitter = unit.signal_emitter();
    unit.get()
        .await
        .active_state_changed(emitter)
        .await
        .unwrap();
}

/// A host with the unit of one sandbox, whose service always answers that it is healthy, and with
/// units for what is done to it.
pub(super) struct Host {
    pub(super) systemd: Connection,
    calls: Arc<Mutex<Vec<String>>>,
    pub(super) denies: Arc<AtomicBool>,
    orders: Arc<Mutex<Work>>,
    /// What someone else makes of the sandbox's unit while the next order is carried out.
    pub(super) meanwhile: Arc<Mutex<Option<&'static str>>>,
    /// An order of a gateway that has ended since, which is still at work.
    pub(super) late: Arc<Mutex<Option<&'static str>>>,
    pub(super) runtime: Arc<Runtime>,
    address: SocketAddr,
    dir: TempDir,
}

impl Host {
    pub(super) async fn new(active: &'static str) -> Self {
        Self::with(active, |_| {}).await
    }

    /// One that pins releases, copies volumes, and tells what a sandbox uses and wrote.
    pub(super) async fn with_orders(active: &'static str) -> Self {
        Self::with(active, |config| {
            config.releases_dir = Some(config.data_dir.join("releases"));
            config.release_unit = Some("choiros-release-{sandbox}@{order}.service".into());
            config.results_dir = Some(config.data_dir.join("results"));
            config.streams_dir = Some(config.data_dir.join("streams"));
            config.volume_unit = Some("choiros-volume-{sandbox}@{order}.service".into());
            let groups = config.data_dir.join("cgroup/container@{sandbox}.service");
            config.cgroup = groups.to_str().unwrap().to_owned();
            config.logs_socket = config.data_dir.join("logs.sock");
        })
        .await
    }

    async fn with(active: &'static str, change: impl FnOnce(&mut config::Runtime)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, ours) = UnixStream::pair().unwrap();
        let (calls, denies) = <(Arc<Mutex<Vec<_>>>, Arc<AtomicBool>)>::default();
        let meanwhile = Arc::default();
        let late = Arc::default();
        let orders: Arc<Mutex<Work>> = Arc::new(Mutex::new(Box::new(|_| Ok(()))));
        let manager = Manager {
            calls: calls.clone(),
            denies: denies.clone(),
            orders: orders.clone(),
            meanwhile: Arc::clone(&meanwhile),
            late: Arc::clone(&late),
        };
        let systemd = Builder::unix_stream(theirs)
            .server(Guid::generate())
            .p2p()
            .serve_at(MANAGER, manager)
            .serve_at(UNIT, Unit(active))
            .serve_at(UNIT, Service("success"))
            .build();
        let ours = Builder::unix_stream(ours).p2p().build();
        let (systemd, ours) = tokio::try_join!(systemd, ours).unwrap();

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let healthy = axum::Router::new().fallback(|| async {});
        tokio::spawn(async move { axum::serve(listener, healthy).await });

        let mut config = config::Runtime {
            kind: config::RuntimeKind::Systemd,
            data_dir: dir.path().to_owned(),
            idle_secs: 1,
            // Whatever is noticed was not noticed by a probe.
            probe_secs: 3600,
            max_restarts: 2,
            ..config::Runtime::default()
        };
        change(&mut config);
        let mut slots = config::Slots::default();
        slots.unit = Some("choiros-slot@{slot}.service".into());
        slots.release_unit = Some("choiros-slot-release@{sandbox}:{order}.service".into());
        slots.volume_unit = Some("choiros-slot-volume-{slot}@{sandbox}:{order}.service".into());
        let config = Arc::new(config);
        let backend = Systemd::over(Bus::over(ours), &config, &slots);
        Self {
            systemd,
            calls,
            denies,
            orders,
            meanwhile,
            late,
            runtime: Runtime::over(config, Some(Arc::new(backend))),
            address,
            dir,
        }
    }

    pub(super) fn sandbox(&self) -> Arc<Sandbox> {
        self.sandbox_called("sandbox-live", "sandbox", None)
    }

    pub(super) fn sandbox_called(
        &self,
        name: &str,
        workspace: &str,
        slot: Option<u32>,
    ) -> Arc<Sandbox> {
        let sandbox = self.runtime.sandbox(Spec {
            name: name.into(),
            workspace: workspace.into(),
            slot,
            instance_role: Role::Live,
            declared: config::Sandbox {
                address: Some(self.address.into()),
                health_path: "/".into(),
                identity: false,
                ..config::Sandbox::default()
            },
        });
        sandbox.set_idle_stop(false);
        sandbox
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// What units do from now on that are started for an order.
    pub(super) fn on_order(&self, work: impl FnMut(&str) -> io::Result<()> + Send + 'static) {
        *self.orders.lock().unwrap() = Box::new(work);
    }

    /// The folder of the workspace's releases.
    pub(super) fn releases(&self) -> PathBuf {
        self.dir.path().join("releases/sandbox")
    }

    /// The folder of the sandbox's results.
    pub(super) fn results(&self) -> PathBuf {
        self.dir.path().join("results/sandbox-live")
    }

    /// The folder of the sandbox's sockets.
    pub(super) fn streams(&self) -> PathBuf {
        self.dir.path().join("streams/sandbox-live")
    }

    /// Where the kernel tells what the sandbox uses.
    pub(super) fn cgroup(&self) -> PathBuf {
        self.dir.path().join("cgroup").join(NAME)
    }

    /// Where the host tells what sandboxes wrote.
    pub(super) fn logs_socket(&self) -> PathBuf {
        self.dir.path().join("logs.sock")
    }

    /// Deploys so many releases, of which the sandbox is pinned to `pinned`.
    pub(super) fn deploy(&self, releases: u64, pinned: u64) {
        let dir = self.releases();
        fs::create_dir_all(&dir).unwrap();
        for number in 1..=releases {
            let link = dir.join(format!("release-{number}-link"));
            symlink(format!("/nix/store/{number}-system"), link).unwrap();
        }
        pin(&dir, pinned).unwrap();
    }
}

/// Leads the sandbox's link to another release.
pub(super) fn pin(releases: &std::path::Path, number: u64) -> io::Result<()> {
    let link = releases.join("sandbox-live");
    if link.is_symlink() {
        fs::remove_file(&link)?;
    }
    symlink(format!("release-{number}-link"), link)
}
