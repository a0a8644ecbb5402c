//! Whether the seal around the host's sandboxes holds, as whatever puts it there says in a file:
//! one line, `sealed`, or else the sentence why not.

use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tracing::{info, warn};

/// How often the log's reader hears of a change at the latest.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of the file that are read.
const MOST: u64 = 4096;

/// The seal around the sandboxes. While it is broken, none is started.
pub struct Seal {
    /// `runtime.seal_file`.
    file: Option<PathBuf>,
}

impl Seal {
    /// The seal that this file tells of. With a file it needs a Tokio runtime: each change is
    /// logged.
    pub(super) fn open(file: Option<PathBuf>) -> Arc<Self> {
        let is_watched = file.is_some();
        let seal = Arc::new(Self { file });
        if is_watched {
            tokio::spawn(watch(Arc::downgrade(&seal)));
        }
        seal
    }

    /// Whether anything says if it holds; without `runtime.seal_file` nothing does.
    pub fn is_watched(&self) -> bool {
        self.file.is_some()
    }

    /// Why it does not hold, in a sentence; `None` while it does, or nothing watches it. Reads
    /// the file, which is small and in memory.
    pub fn broken(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        let why = match read(file) {
            Ok(said) if said.trim() == "sealed" => return None,
            Ok(said) => match said.trim().lines().next() {
                Some(said) => said.to_owned(),
                None => "what watches it says nothing".to_owned(),
            },
            Err(error) => format!("nothing says that it holds ({error})"),
        };
        Some(format!(
            "the seal around the sandboxes is broken: {why} (see what writes {})",
            file.display()
        ))
    }
}

/// A pipe in the file's place would be waited for, without the flag.
fn read(file: &Path) -> io::Result<String> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(flags).open(file)?;
    let mut said = String::new();
    opened.take(MOST).read_to_string(&mut said)?;
    Ok(said)
}

/// Logs how it is, and each change, for as long as there is a seal.
async fn watch(seal: Weak<Seal>) {
    let mut known = None;
    while let Some(seal) = seal.upgrade() {
        let broken = seal.broken();
        drop(seal);
        if known.as_ref() != Some(&broken) {
            if let Some(why) = &broken {
                warn!("{why}; no sandbox is started until it holds");
            } else {
                info!("the seal around the sandboxes holds");
            }
            known = Some(broken);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_holds_when_its_file_says_so_and_in_no_other_case() {
        assert_eq!(Seal::open(None).broken(), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let seal = Seal::open(Some(path.clone()));
        let broken = seal.broken().unwrap();
        assert!(broken.contains("nothing says"), "{broken}");
        assert!(broken.contains(path.to_str().unwrap()), "{broken}");
        for sealed in ["sealed", "sealed\n"] {
            std::fs::write(&path, sealed).unwrap();
            assert_eq!(seal.broken(), None);
        }
        for (said, why) in [
            ("", "says nothing"),
            ("\n", "says nothing"),
            ("sealed?\n", "sealed?"),
            ("unsealed", "unsealed"),
            ("sealed\nnot any more\n", "sealed"),
            ("the table is gone\n", "the table is gone"),
        ] {
            std::fs::write(&path, said).unwrap();
            let broken = seal.broken().unwrap();
            assert!(broken.contains(why), "{said:?}: {broken}");
        }
        std::fs::write(&path, b"sealed\xff").unwrap();
        assert!(seal.broken().is_some());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(seal.broken().is_some());
    }
}
