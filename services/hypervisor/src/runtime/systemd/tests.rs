//! The backend against a systemd of our own, at the other end of a socket instead of a bus.
#![allow(clippy::unused_async, reason = "D-Bus methods are async")]

use super::Systemd;
use super::bus::Bus;
use crate::config;
use crate::role::Role;
use crate::runtime::{Runtime, Sandbox, Spec, Status};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::wait::eventually;
use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, Guid, ObjectPath, OwnedObjectPath, fdo, interface};

const MANAGER: &str = "/org/freedesktop/systemd1";
const UNIT: &str = "/org/freedesktop/systemd1/unit/one";
const NAME: &str = "container@sandbox-live.service";

struct Manager {
    calls: Arc<Mutex<Vec<&'static str>>>,
    denies: Arc<AtomicBool>,
}

impl Manager {
    fn called(&self, verb: &'static str, name: &str) -> fdo::Result<OwnedObjectPath> {
        assert_eq!(name, NAME);
        self.calls.lock().unwrap().push(verb);
        if self.denies.load(Ordering::Relaxed) {
            return Err(fdo::Error::AccessDenied("Access denied".into()));
        }
        Ok(ObjectPath::try_from("/org/freedesktop/systemd1/job/7")
            .unwrap()
            .into())
    }
}

/// Does the job, and says so once it is done.
fn work(systemd: &Connection, job: OwnedObjectPath, active: &'static str) {
    let systemd = systemd.clone();
    tokio::spawn(async move {
        set(&systemd, active, "success").await;
        let emitter = SignalEmitter::new(&systemd, MANAGER).unwrap();
        Manager::job_removed(&emitter, 7, job.as_ref(), NAME, "done")
            .await
            .unwrap();
    });
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    async fn load_unit(&self, name: &str) -> OwnedObjectPath {
        assert_eq!(name, NAME);
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
        work(systemd, job.clone(), "active");
        Ok(job)
    }

    async fn stop_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(connection)] systemd: &Connection,
    ) -> fdo::Result<OwnedObjectPath> {
        assert_eq!(mode, "replace");
        let job = self.called("stop", name)?;
        work(systemd, job.clone(), "inactive");
        Ok(job)
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
async fn set(systemd: &Connection, active: &'static str, result: &'static str) {
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

/// A host with one unit, whose service always answers that it is healthy.
struct Host {
    systemd: Connection,
    calls: Arc<Mutex<Vec<&'static str>>>,
    denies: Arc<AtomicBool>,
    runtime: Arc<Runtime>,
    address: SocketAddr,
}

impl Host {
    async fn new(active: &'static str) -> Self {
        let (theirs, ours) = UnixStream::pair().unwrap();
        let (calls, denies) = <(Arc<Mutex<Vec<_>>>, Arc<AtomicBool>)>::default();
        let manager = Manager {
            calls: calls.clone(),
            denies: denies.clone(),
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

        let config = Arc::new(config::Runtime {
            kind: config::RuntimeKind::Systemd,
            idle_secs: 1,
            // Whatever is noticed was not noticed by a probe.
            probe_secs: 3600,
            max_restarts: 2,
            ..config::Runtime::default()
        });
        let backend = Systemd::over(Bus::over(ours), &config);
        Self {
            systemd,
            calls,
            denies,
            runtime: Runtime::over(config, Some(Arc::new(backend))),
            address,
        }
    }

    fn sandbox(&self) -> Arc<Sandbox> {
        let sandbox = self.runtime.sandbox(Spec {
            name: "sandbox-live".into(),
            workspace: "sandbox".into(),
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

    fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }
}

/// A sandbox that was wanted.
async fn started() -> (Host, Arc<Sandbox>) {
    let host = Host::new("inactive").await;
    let sandbox = host.sandbox();
    sandbox.ready().await.unwrap();
    (host, sandbox)
}

async fn becomes(sandbox: &Sandbox, status: Status) {
    eventually(&format!("{status}"), async || {
        (sandbox.view().status == status).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_request_starts_the_unit_and_a_stop_stops_it() {
    let (host, sandbox) = started().await;
    assert_eq!(sandbox.view().status, Status::Running);
    assert_eq!(host.calls(), ["start"]);
    sandbox.stop().await.unwrap();
    assert_eq!(sandbox.view().status, Status::Stopped);
    assert_eq!(host.calls(), ["start", "stop"]);
}

#[tokio::test]
async fn a_crash_is_heard_of_and_the_unit_started_again() {
    let (host, sandbox) = started().await;
    // A manager of containers says that it stops before it says that it failed.
    set(&host.systemd, "deactivating", "success").await;
    set(&host.systemd, "failed", "exit-code").await;
    let again = async || (host.calls().len() == 2).then_some(());
    eventually("another start", again).await.unwrap();
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls(), ["start", "start"]);
    // The second in a row is as many as there may be.
    set(&host.systemd, "failed", "signal").await;
    becomes(&sandbox, Status::Failed).await;
    let cause = sandbox.view().cause.unwrap();
    assert!(
        cause.contains("failed (signal); see `journalctl"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_unit_that_runs_already_is_taken_over_and_outlives_the_hypervisor() {
    let host = Host::new("active").await;
    let sandbox = host.sandbox();
    becomes(&sandbox, Status::Running).await;
    host.runtime.shutdown().await;
    assert!(host.calls().is_empty(), "nothing was to be done");
}

#[tokio::test]
async fn a_unit_that_systemd_starts_again_is_waited_for() {
    let (host, sandbox) = started().await;
    set(&host.systemd, "activating", "exit-code").await;
    becomes(&sandbox, Status::Starting).await;
    set(&host.systemd, "active", "success").await;
    becomes(&sandbox, Status::Running).await;
    assert_eq!(host.calls(), ["start"]);
}

#[tokio::test]
async fn a_unit_that_someone_else_stops_and_starts_is_followed() {
    let (host, sandbox) = started().await;
    set(&host.systemd, "deactivating", "success").await;
    becomes(&sandbox, Status::Draining).await;
    assert!(sandbox.enter().is_none(), "no request is sent to its end");
    set(&host.systemd, "inactive", "success").await;
    becomes(&sandbox, Status::Stopped).await;
    assert_eq!(host.calls(), ["start"], "it was no crash");
    set(&host.systemd, "active", "success").await;
    becomes(&sandbox, Status::Running).await;
}

#[tokio::test]
async fn a_refusal_by_polkit_names_its_mend() {
    let host = Host::new("inactive").await;
    host.denies.store(true, Ordering::Relaxed);
    let error = host.sandbox().ready().await.unwrap_err().to_string();
    assert!(error.contains("does not let this user start"), "{error}");
    assert!(error.contains("by a polkit rule"), "{error}");
}

#[tokio::test]
async fn a_sandbox_is_stopped_when_idle_only_in_a_role_that_rests() {
    let (host, sandbox) = started().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(sandbox.view().status, Status::Running);
    sandbox.set_idle_stop(true);
    becomes(&sandbox, Status::Stopped).await;
    assert_eq!(host.calls(), ["start", "stop"]);
}
