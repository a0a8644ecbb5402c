//! `process`: each sandbox is a child of its own guardian, in a cleared environment.

mod child;
mod output;

use super::backend::{Backend, Instance};
use super::guardian;
use super::{RuntimeError, Spec};
use crate::config::{self, Address};
use crate::private_folder;
use async_trait::async_trait;
use child::Child;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The folders that programs are looked for in, if this process knows none.
const FALLBACK_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How many free ports of one family are tried in the other.
const PORTS: usize = 16;

/// Starts sandboxes as child processes.
pub(super) struct ProcessBackend {
    /// The hypervisor's own file, which is the guardian as well.
    guardian: PathBuf,
    program: PathBuf,
    args: Vec<String>,
    data_dir: PathBuf,
    grace: Duration,
}

impl ProcessBackend {
    pub(super) fn new(config: &config::Runtime, hypervisor: &Path) -> Result<Self, RuntimeError> {
        let (program, args) = match config.command.split_first() {
            Some((program, args)) => (located(program)?, args.to_vec()),
            None => (hypervisor.with_file_name("sandbox"), Vec::new()),
        };
        if program.is_absolute() && !program.is_file() {
            return Err(RuntimeError::Unusable(format!(
                "there is no sandbox program at {}; build it, or name another in runtime.command",
                program.display()
            )));
        }
        Ok(Self {
            guardian: hypervisor.to_owned(),
            program,
            args,
            data_dir: absolute(&config.data_dir)?,
            grace: Duration::from_secs(config.stop_secs),
        })
    }

    /// The sandbox's `/data`, for its owner only.
    fn make_data_dir(&self, spec: &Spec) -> Result<PathBuf, String> {
        let (workspace, name) = (Path::new(&spec.workspace), Path::new(&spec.name));
        if !is_plain(workspace) || !is_plain(name) {
            return Err("its name or its workspace's cannot name a folder".to_owned());
        }
        let dir = self.data_dir.join(workspace).join(name);
        private_folder::make(&dir).map_err(|error| {
            format!(
                "cannot make {}: {error}; mend runtime.data_dir",
                dir.display()
            )
        })?;
        Ok(dir)
    }
}

#[async_trait]
impl Backend for ProcessBackend {
    async fn start(&self, spec: &Spec) -> Result<Box<dyn Instance>, String> {
        let dir = self.make_data_dir(spec)?;
        let address = free_address(spec)?;
        let mut command = tokio::process::Command::new(&self.guardian);
        command
            .arg(guardian::ARGUMENT)
            .arg(self.grace.as_secs().to_string())
            .arg(&self.program)
            .args(&self.args)
            .current_dir(&dir)
            .env_clear()
            .envs(environment(spec, address.first()))
            .env("SANDBOX_DATA_DIR", &dir);
        let guardian = self.guardian.display();
        match Child::spawn(command, &spec.name, address, self.grace).await {
            Ok(child) => Ok(Box::new(child)),
            Err(error) => Err(format!("cannot run its guardian {guardian}: {error}")),
        }
    }
}

/// All that a sandbox gets to know; nothing of this process's own environment but the path.
fn environment(spec: &Spec, address: SocketAddr) -> [(&'static str, OsString); 5] {
    let path = std::env::var_os("PATH").unwrap_or_else(|| FALLBACK_PATH.into());
    [
        ("PATH", path),
        ("SANDBOX_NAME", (&spec.name).into()),
        ("SANDBOX_INSTANCE_ROLE", spec.instance_role.as_str().into()),
        ("SANDBOX_LISTEN", address.to_string().into()),
        ("PORT", address.port().to_string().into()),
    ]
}

/// Where nothing listens now: at the declared port, or at any. A declared one that is taken
/// is refused, so that whatever has it is never mistaken for the sandbox. Should something take
/// the port before the child does, then the child dies of that, and is started again.
fn free_address(spec: &Spec) -> Result<Address, String> {
    let Some(wanted) = spec.declared.listens() else {
        return free_port();
    };
    let is_other_familys = |place: &SocketAddr| *place != wanted.first();
    for place in wanted.places() {
        match TcpListener::bind(place) {
            // Without the family there is nobody in it either.
            Err(error) if is_other_familys(&place) && error.kind() != ErrorKind::AddrInUse => {}
            bound => {
                bound.map_err(|error| {
                    format!(
                        "it cannot listen at {place}: {error}; free that port, or give it another"
                    )
                })?;
            }
        }
    }
    Ok(wanted)
}

/// A port that is free in both families.
fn free_port() -> Result<Address, String> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut why = String::new();
    for _ in 0..PORTS {
        let listener = TcpListener::bind(any).and_then(|listener| listener.local_addr());
        let found = listener.map_err(|error| format!("no port is free for it: {error}"))?;
        let address = Address::Localhost(found.port());
        match TcpListener::bind((Ipv6Addr::LOCALHOST, found.port())) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => why = error.to_string(),
            _ => return Ok(address),
        }
    }
    Err(format!("no port is free for it in both families: {why}"))
}

/// A program with a folder in its name is meant from here, not from the sandbox's folder.
fn located(program: &str) -> Result<PathBuf, RuntimeError> {
    if program.contains('/') {
        return absolute(Path::new(program));
    }
    Ok(program.into())
}

fn absolute(path: &Path) -> Result<PathBuf, RuntimeError> {
    std::path::absolute(path)
        .map_err(|error| RuntimeError::Unusable(format!("{}: {error}", path.display())))
}

/// Whether it is the name of one folder, and no way out of its parent.
fn is_plain(name: &Path) -> bool {
    let mut parts = name.components();
    matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
}
