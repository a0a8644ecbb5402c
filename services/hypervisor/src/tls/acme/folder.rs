//! What must outlive a restart: the account, certificates with their keys, and what failed.
//!
//! Each authority has a folder of its own, so that certificates of one that is for tests are not
//! served once another is set.

use super::issued::Issued;
use super::ledger::Failures;
use crate::private_folder;
use crate::tls::TlsError;
use rustls::crypto::CryptoProvider;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tracing::warn;

/// The account, and what failed.
const ACCOUNT: &str = "account.json";
const FAILURES: &str = "failures.json";

/// What certificates end with.
const PEM: &str = ".pem";

/// The folder of an authority.
pub(super) struct Folder {
    path: PathBuf,
    /// Held while failures are written, so that the newest are what stays.
    writing: Mutex<()>,
}

impl Folder {
    /// Makes it, below `dir`, unless it is there.
    pub(super) fn open(dir: &Path, directory: &str) -> Result<Self, TlsError> {
        let path = dir.join(folder_name(directory));
        let usable = private_folder::make(&path).and_then(|()| {
            let probe = path.join(".probe");
            write(&probe, b"")?;
            fs::remove_file(probe)
        });
        match usable {
            Ok(()) => Ok(Self {
                path,
                writing: Mutex::default(),
            }),
            Err(source) => Err(TlsError::Folder { path, source }),
        }
    }

    /// The certificates that are there, by name. What is none is put aside.
    pub(super) fn certificates(&self, provider: &CryptoProvider) -> Vec<(String, Issued)> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.strip_suffix(PEM)?.to_owned())
        });
        let read = names.filter_map(|name| {
            let path = self.certificate(&name);
            let issued = fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|pem| Issued::read(&name, &pem, provider));
            match issued {
                Ok(issued) => Some((name, issued)),
                Err(reason) => {
                    put_aside(&path, &reason);
                    None
                }
            }
        });
        read.collect()
    }

    /// Keeps a key with its chain, in the place of those that were there.
    pub(super) fn keep_certificate(&self, name: &str, pem: &str) -> io::Result<()> {
        write(&self.certificate(name), pem.as_bytes())
    }

    pub(super) fn remove_certificate(&self, name: &str) {
        let _ = fs::remove_file(self.certificate(name)); // Gone already is as good.
    }

    /// What failed.
    pub(super) fn attempts(&self) -> Failures {
        self.read(FAILURES).unwrap_or_default()
    }

    /// Keeps what failed, as it is when its turn comes.
    pub(super) fn keep_failures(&self, failures: impl FnOnce() -> Failures) -> io::Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(FAILURES, &failures())
    }

    /// The account, if there is one.
    pub(super) fn account<T: DeserializeOwned>(&self) -> Option<T> {
        self.read(ACCOUNT)
    }

    pub(super) fn keep_account(&self, account: &impl Serialize) -> io::Result<()> {
        self.keep(ACCOUNT, account)
    }

    /// Puts the account aside, for the authority does not know it.
    pub(super) fn forget_account(&self) {
        put_aside(&self.path.join(ACCOUNT), "the authority does not know it");
    }

    fn read<T: DeserializeOwned>(&self, file: &str) -> Option<T> {
        let path = self.path.join(file);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                put_aside(&path, &error.to_string());
                return None;
            }
        };
        let value = serde_json::from_slice(&text).ok();
        if value.is_none() {
            // What exactly is wrong may have a key in it.
            put_aside(&path, "it is not what was written there");
        }
        value
    }

    fn keep(&self, file: &str, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(value)?;
        write(&self.path.join(file), &text)
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{PEM}"))
    }
}

/// The directory's URL as a name of a folder.
fn folder_name(directory: &str) -> String {
    let name = directory.strip_prefix("https://").unwrap_or(directory);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(150)
        .collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// Writes it whole or not at all, for this program's user alone.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".new");
    let next = PathBuf::from(next);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn put_aside(path: &Path, reason: &str) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    let outcome = fs::rename(path, &aside);
    let (path, aside) = (path.display(), aside.display().to_string());
    match outcome {
        Ok(()) => {
            warn!(
                "tls.acme.dir: {path} cannot be used ({reason}); it is {aside} now, and made anew"
            );
        }
        Err(error) => warn!(%error, "tls.acme.dir: {path} cannot be used ({reason}); remove it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const URL: &str = "https://acme-v02.api.letsencrypt.org/directory";

    #[test]
    fn each_authority_has_a_folder_of_its_own() {
        let name = "acme-v02.api.letsencrypt.org-directory";
        assert_eq!(folder_name(URL), name);
        let odd = folder_name("https://[::1]:14000/dir?x=../..");
        assert_eq!(odd, "1--14000-dir-x");
        assert!(!folder_name("https://../..").contains('/'));
    }

    #[test]
    fn what_is_kept_is_for_this_user_alone_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("acme"), URL).unwrap();
        folder.keep_certificate("a.example", "key").unwrap();
        folder.keep_account(&"account").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("acme")), 0o700);
        assert_eq!(mode(&folder.path), 0o700);
        assert_eq!(mode(&folder.certificate("a.example")), 0o600);
        assert_eq!(mode(&folder.path.join(ACCOUNT)), 0o600);
        assert_eq!(folder.account::<String>().as_deref(), Some("account"));
        assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 2);
    }

    #[test]
    fn what_is_broken_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), URL).unwrap();
        for name in [ACCOUNT, FAILURES, "a.example.pem"] {
            fs::write(folder.path.join(name), "{").unwrap();
        }
        assert!(folder.account::<String>().is_none());
        assert!(
            serde_json::to_string(&folder.attempts())
                .unwrap()
                .contains("{}")
        );
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        assert!(folder.certificates(&provider).is_empty());
        for name in [ACCOUNT, FAILURES, "a.example.pem"] {
            assert!(!folder.path.join(name).exists(), "{name}");
            let aside = folder.path.join(format!("{name}.broken"));
            assert_eq!(fs::read_to_string(aside).unwrap(), "{");
        }
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let said = Folder::open(&file, URL)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("tls.acme.dir") && said.contains("file"),
            "{said}"
        );
    }
}
