//! One release's file.

use crate::runtime::{Release, ReleaseContent};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What is in the file. The environment may have secrets, so there is no `Debug`.
#[derive(Serialize, Deserialize)]
pub(in crate::runtime::process) struct ReleaseFile {
    /// Program and arguments; none for the `sandbox` beside the hypervisor.
    pub(in crate::runtime::process) command: Vec<String>,
    /// What the process gets beside what every sandbox does.
    pub(in crate::runtime::process) env: BTreeMap<String, String>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    added_at: i64,
    added_by: String,
    /// Whether it came from `runtime.command`.
    #[serde(default)]
    pub(super) declared: bool,
}

impl ReleaseFile {
    /// One that is added now.
    pub(super) fn new(
        command: Vec<String>,
        env: BTreeMap<String, String>,
        by: &str,
        declared: bool,
    ) -> Self {
        Self {
            command,
            env,
            added_at: Timestamp::now().millis(),
            added_by: by.to_owned(),
            declared,
        }
    }

    pub(super) fn runs(&self, command: &[String], env: &BTreeMap<String, String>) -> bool {
        self.command == command && self.env == *env
    }

    /// Whether it says who it is when it is asked whether it is healthy: our sandbox service does,
    /// and whoever declares another says in the configuration whether that one does.
    pub(in crate::runtime::process) const fn names_itself(&self) -> bool {
        self.declared || self.command.is_empty()
    }

    pub(in crate::runtime::process) fn content(self) -> ReleaseContent {
        ReleaseContent::Command {
            command: self.command,
            env: self.env,
            declared: self.declared,
        }
    }

    /// What is told of it: of its environment the names alone.
    pub(super) fn release(&self, number: u64) -> Release {
        let names = self.env.keys().map(|name| format!("{name}=… "));
        Release {
            number,
            what: names.collect::<String>() + &command_line(&self.command),
            added_at: Some(Timestamp::from_millis(self.added_at)),
            added_by: self.added_by.clone(),
        }
    }

    /// Writes it so that it is there whole or not at all, also after a power cut.
    pub(super) fn write(&self, folder: &Path, number: u64) -> io::Result<()> {
        let part = folder.join(format!(".{number}.part"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&part)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&part, path(folder, number))?;
        // The folders above may be as new as the file.
        for folder in folder.ancestors().take(3) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// The release of this number, if there is one.
pub(super) fn read(folder: &Path, number: u64) -> Result<Option<ReleaseFile>, String> {
    let path = path(folder, number);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| format!("{} cannot be read ({error})", path.display()))?,
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        // serde_json would quote what it finds, and that may be a secret.
        let (line, column) = (error.line(), error.column());
        format!(
            "{} is no release (line {line}, column {column}); bring it back from a backup, or remove it",
            path.display()
        )
    })
}

/// The number in a file's name.
pub(super) fn number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".json")?;
    let parsed = number.parse().ok()?;
    (parsed > 0 && number == u64::to_string(&parsed)).then_some(parsed)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number}.json"))
}

/// As a shell would take it.
fn command_line(command: &[String]) -> String {
    if command.is_empty() {
        return "sandbox".to_owned();
    }
    let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
