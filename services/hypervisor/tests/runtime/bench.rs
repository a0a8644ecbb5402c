//! A runtime in a temporary folder, and what tests ask of the sandboxes in it.

use hypervisor::config::{self, Config, RuntimeKind};
use hypervisor::role::Role;
use hypervisor::runtime::{Hold, Runtime, Sandbox, Spec, Status};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A runtime, and the folder below which its sandboxes live.
pub struct Bench {
    pub dir: TempDir,
    pub runtime: Arc<Runtime>,
}

/// A config whose sandboxes are the fixture, and whose every limit is short.
pub fn config(dir: &Path) -> Config {
    let mut config = Config::default();
    config.runtime.kind = RuntimeKind::Process;
    config.runtime.command = super::fixture::command("a_sandbox");
    config.runtime.data_dir = dir.to_owned();
    config.runtime.idle_secs = 0;
    config.runtime.start_secs = 30;
    config.runtime.stop_secs = 2;
    config.runtime.probe_secs = 1;
    config.runtime.probe_timeout_secs = 5;
    config
}

pub fn open(config: &Config) -> Arc<Runtime> {
    let program = Path::new(env!("CARGO_BIN_EXE_hypervisor"));
    Runtime::open_with(config, program).unwrap()
}

pub fn spec(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        workspace: "w".to_owned(),

        slot: None,
        instance_role: Role::Live,
        declared: config::Sandbox::default(),
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = TempDir::new().unwrap();
        let mut config = config(dir.path());
        change(&mut config);
        let runtime = open(&config);
        Self { dir, runtime }
    }

    /// A sandbox with these knobs of the fixture.
    pub fn sandbox(&self, name: &str, knobs: &[&str]) -> Arc<Sandbox> {
        self.set(name, knobs);
        self.runtime.sandbox(spec(name))
    }

    /// Other knobs; those that count at the start do so from the next.
    pub fn set(&self, name: &str, knobs: &[&str]) {
        fs::create_dir_all(self.folder(name)).unwrap();
        fs::write(self.folder(name).join("knobs"), knobs.join("\n")).unwrap();
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join("w").join(name)
    }

    pub fn read(&self, name: &str, file: &str) -> String {
        fs::read_to_string(self.folder(name).join(file)).unwrap_or_default()
    }

    /// The process ids of each start, oldest first.
    pub fn starts(&self, name: &str) -> Vec<i32> {
        numbers(&self.read(name, "starts"))
    }

    pub fn grandchild(&self, name: &str) -> i32 {
        *numbers(&self.read(name, "grandchild")).last().unwrap()
    }
}

pub fn numbers(lines: &str) -> Vec<i32> {
    lines.lines().map(|line| line.parse().unwrap()).collect()
}

/// Waits for a condition that something else brings about.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn until_status(sandbox: &Sandbox, status: Status) {
    until(&format!("{status:?}"), || sandbox.view().status == status).await;
}

/// As a request does it: enters, and has the sandbox started if that fails.
pub async fn claim(sandbox: &Sandbox) -> Hold {
    loop {
        if let Some(hold) = sandbox.enter() {
            return hold;
        }
        sandbox.ready().await.unwrap();
    }
}

/// Whether the process is there; one that is dead and not yet waited for is not.
pub fn alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim().chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// What a GET of any path answers, on a connection of its own.
pub fn get(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}
