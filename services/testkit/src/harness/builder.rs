//! What a hypervisor is started with.

use super::Hypervisor;
use crate::port::Port;
use crate::postgres;
use crate::process::Process;
use crate::tls::{Authority, CERT_FILE, Issued, KEY_FILE};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG_FILE: &str = "hypervisor.toml";

/// Has the store of each gateway be in `PostgreSQL`, but for those that say where it is.
const AT_POSTGRES: &str = "TEST_AT_POSTGRES";

/// What a hypervisor is started with.
#[derive(Debug)]
pub struct Builder {
    bin: PathBuf,
    /// Over the harness's own; what has no value is not set at all.
    env: BTreeMap<String, Option<String>>,
    config: String,
    tls: Option<(Authority, Issued)>,
}

impl Builder {
    pub(super) fn new(bin: &Path) -> Self {
        Self {
            bin: bin.into(),
            env: BTreeMap::new(),
            config: String::new(),
            tls: None,
        }
    }

    /// Sets a variable; it wins over the harness's own of that name.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Leaves a variable of the harness's own out, for a program that does not know it.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// The text of its config file (TOML), behind what there is. Variables win over it.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// Gives it this certificate, in [`CERT_FILE`] and [`KEY_FILE`] of its folder.
    #[must_use]
    pub fn tls(mut self, authority: &Authority, certificate: Issued) -> Self {
        self.tls = Some((authority.clone(), certificate));
        self
    }

    /// Starts it and waits until it is healthy.
    ///
    /// # Errors
    /// It ended instead, or took too long; the message has its output.
    ///
    /// # Panics
    /// The sandbox program was not built.
    pub async fn start(self) -> Result<Hypervisor> {
        let mut hypervisor = self.spawn()?;
        hypervisor.healthy().await?;
        Ok(hypervisor)
    }

    /// Starts it without waiting, for starts that fail.
    ///
    /// # Errors
    /// It could not be started.
    ///
    /// # Panics
    /// The sandbox program was not built.
    pub fn spawn(self) -> Result<Hypervisor> {
        let dir = tempfile::tempdir().context("make a folder")?;
        let port = Port::reserve()?;
        let sandbox = sandbox_beside(&self.bin);
        std::fs::write(dir.path().join(CONFIG_FILE), &self.config)?;
        let mut env = BTreeMap::from([
            // Most tests are about what both kinds have in common, at one origin.
            ("HYPERVISOR_ORIGINS", "shared".to_owned()),
            ("HYPERVISOR_PORT", port.number().to_string()),
            ("HYPERVISOR_STORE_PATH", inside(&dir, "hypervisor.db")),
            ("HYPERVISOR_RUNTIME_DATA_DIR", inside(&dir, "sandboxes")),
            ("HYPERVISOR_RUNTIME_COMMAND", toml_array(&sandbox)),
        ])
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<BTreeMap<_, _>>();
        if let Some((_, certificate)) = &self.tls {
            certificate.write(dir.path())?;
            env.insert("HYPERVISOR_TLS_CERT".into(), inside(&dir, CERT_FILE));
            env.insert("HYPERVISOR_TLS_KEY".into(), inside(&dir, KEY_FILE));
        }
        if std::env::var_os(AT_POSTGRES).is_some()
            && let Some(server) = postgres::shared()?
        {
            env.insert("HYPERVISOR_STORE_URL".into(), server.database()?);
        }
        for (name, value) in self.env {
            match value {
                Some(value) => env.insert(name, value),
                None => env.remove(&name),
            };
        }
        let serve = command(&self.bin, dir.path(), &env, &["serve"]);
        Ok(Hypervisor {
            process: Process::spawn(serve)?,
            bin: self.bin,
            env,
            port,
            authority: self.tls.map(|(authority, _)| authority),
            dir,
        })
    }
}

/// A call of the program in its folder, with nothing of our own environment.
pub(super) fn command(
    bin: &Path,
    dir: &Path,
    env: &BTreeMap<String, String>,
    args: &[&str],
) -> Command {
    let mut command = Command::new(bin);
    command
        .args(args)
        .arg("--config")
        .arg(dir.join(CONFIG_FILE))
        .current_dir(dir)
        .env_clear()
        .envs(env);
    command
}

/// The sandbox program that was built beside the hypervisor.
fn sandbox_beside(bin: &Path) -> PathBuf {
    let path = bin.with_file_name("sandbox");
    assert!(
        path.is_file(),
        "{} is not there; build it with `cargo build -p sandbox`",
        path.display()
    );
    path
}

fn inside(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

/// A TOML array of one string; a JSON string is a TOML string.
fn toml_array(path: &Path) -> String {
    serde_json::json!([path.display().to_string()]).to_string()
}
