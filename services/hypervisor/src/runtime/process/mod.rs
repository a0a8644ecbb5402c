//! `process`: each sandbox is a child of its own guardian, in a cleared environment.

mod archives;
mod child;
mod consumption;
mod environment;
mod folders;
mod freezer;
mod guardians;
mod log;
mod output;
mod ports;
mod releases;
mod volumes;

use super::backend::{self, Backend, Instance};
use super::consumption::Consumption;
use super::guardian;
use super::line::LogLines;
use super::{Release, ReleaseContent, RuntimeError, Spec};
use crate::config;
use async_trait::async_trait;
use child::Child;
use dashmap::DashMap;
use environment::environment;
use folders::Folders;
use guardians::Guardians;
use log::Log;
use ports::free_address;
use releases::Releases;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use volumes::Volumes;

/// Starts sandboxes as child processes.
pub(super) struct ProcessBackend {
    /// The hypervisor's own file, which is the guardian as well.
    guardian: PathBuf,
    /// What a release without a command runs: the `sandbox` beside the hypervisor.
    sandbox: PathBuf,
    releases: Arc<Releases>,
    guardians: Arc<Guardians>,
    volumes: Arc<Volumes>,
    /// Of each sandbox that ran, or that somebody reads.
    logs: DashMap<String, Arc<Log>>,
    grace: Duration,
}

impl ProcessBackend {
    pub(super) fn new(config: &config::Runtime, hypervisor: &Path) -> Result<Self, RuntimeError> {
        let sandbox = hypervisor.with_file_name("sandbox");
        let mut command = config.command.clone();
        if let Some(program) = command.first_mut() {
            *program = located(program)?;
        }
        let program = command.first().map_or(&*sandbox, Path::new);
        if program.is_absolute() && !program.is_file() {
            return Err(RuntimeError::Unusable(format!(
                "there is no sandbox program at {}; build it, or name another in runtime.command",
                program.display()
            )));
        }
        let folders = Arc::new(Folders::new(absolute(&config.data_dir)?));
        let guardians = Arc::<Guardians>::default();
        Ok(Self {
            guardian: hypervisor.to_owned(),
            sandbox,
            releases: Arc::new(Releases::new(Arc::clone(&folders), command)),
            volumes: Arc::new(Volumes::new(
                Arc::clone(&folders),
                Arc::clone(&guardians),
                config.backups_dir.as_deref().map(absolute).transpose()?,
                hypervisor,
            )),
            guardians,
            logs: DashMap::new(),
            grace: Duration::from_secs(config.stop_secs),
        })
    }

    fn log_of(&self, sandbox: &str) -> Arc<Log> {
        if let Some(log) = self.logs.get(sandbox) {
            return Arc::clone(&log);
        }
        Arc::clone(&self.logs.entry(sandbox.to_owned()).or_default())
    }

    /// Asks the releases something, which waits for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        workspace: &str,
        question: impl FnOnce(&Releases, &str) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let (releases, name) = (Arc::clone(&self.releases), workspace.to_owned());
        let answer = tokio::task::spawn_blocking(move || question(&releases, &name)).await;
        answer.unwrap_or_else(|error| {
            Err(RuntimeError::Releases {
                workspace: workspace.to_owned(),
                cause: format!("their reader failed: {error}"),
            })
        })
    }
}

#[async_trait]
impl Backend for ProcessBackend {
    async fn start(&self, spec: &Spec, release: u64) -> Result<Box<dyn Instance>, String> {
        let found = self.ask(&spec.workspace, move |all, workspace| {
            all.get(workspace, release)
        });
        let (number, release) = found.await.map_err(|error| error.to_string())?;
        let dir = self.volumes.folder(spec).await;
        let dir = dir.map_err(|error| error.to_string())?;
        let address = free_address(spec)?;
        let (program, args) = release.command.split_first().map_or_else(
            || (self.sandbox.as_os_str(), &[][..]),
            |(program, args)| (program.as_ref(), args),
        );
        let mut command = tokio::process::Command::new(&self.guardian);
        command
            .arg(guardian::ARGUMENT)
            .arg(self.grace.as_secs().to_string())
            .arg(program)
            .args(args)
            .current_dir(&dir)
            .env_clear()
            .envs(&release.env)
            .envs(environment(spec, number, address.first(), &dir));
        let guardian = self.guardian.display();
        let (guardians, log) = (&self.guardians, self.log_of(&spec.name));
        let child = Child::spawn(command, (&spec.name, &log), guardians, address, self.grace);
        match child.await {
            Ok(child) => Ok(Box::new(child.naming_itself(release.names_itself()))),
            Err(error) => Err(format!("cannot run its guardian {guardian}: {error}")),
        }
    }

    fn forget(&self, spec: &Spec) {
        self.volumes.forget(spec);
        self.logs.remove(&spec.name);
    }

    fn volumes(&self) -> Arc<dyn backend::Volumes> {
        Arc::clone(&self.volumes) as _
    }

    async fn releases(&self, workspace: &str) -> Result<Vec<Release>, RuntimeError> {
        self.ask(workspace, Releases::all).await
    }

    async fn add_release(
        &self,
        workspace: &str,
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
    ) -> Result<Release, RuntimeError> {
        let by = by.to_owned();
        let add = move |all: &Releases, workspace: &str| all.add(workspace, command, env, &by);
        self.ask(workspace, add).await
    }

    fn consumption(&self, sandboxes: &[&str]) -> Vec<Consumption> {
        let guardians = sandboxes.iter().map(|it| self.guardians.number_of(it));
        consumption::below(Path::new("/proc"), &guardians.collect::<Vec<_>>())
    }

    async fn log(
        &self,
        sandbox: &str,
        lines: usize,
        follow: bool,
    ) -> Result<LogLines, RuntimeError> {
        Ok(self.log_of(sandbox).read(lines, follow))
    }

    async fn declared_release(&self, workspace: &str) -> Result<u64, RuntimeError> {
        self.ask(workspace, Releases::declared).await
    }

    async fn release_content(
        &self,
        workspace: &str,
        number: u64,
    ) -> Result<ReleaseContent, RuntimeError> {
        let content = move |all: &Releases, workspace: &str| {
            let (_, file) = all.get(workspace, number)?;
            Ok(file.content())
        };
        self.ask(workspace, content).await
    }

    async fn release_of(
        &self,
        workspace: &str,
        content: ReleaseContent,
        by: &str,
    ) -> Result<u64, RuntimeError> {
        let by = by.to_owned();
        let of = move |all: &Releases, workspace: &str| all.of(workspace, content, &by);
        self.ask(workspace, of).await
    }
}

/// A program with a folder in its name is meant from here, not from the sandbox's folder.
fn located(program: &str) -> Result<String, RuntimeError> {
    if !program.contains('/') {
        return Ok(program.to_owned());
    }
    let path = absolute(Path::new(program))?;
    path.into_os_string().into_string().map_err(|path| {
        RuntimeError::Unusable(format!(
            "runtime.command: {} is not UTF-8; give the program another place",
            path.display()
        ))
    })
}

fn absolute(path: &Path) -> Result<PathBuf, RuntimeError> {
    std::path::absolute(path)
        .map_err(|error| RuntimeError::Unusable(format!("{}: {error}", path.display())))
}
