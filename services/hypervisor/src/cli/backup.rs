//! `hypervisor backup` and `hypervisor restore`.

use crate::config::Config;
use crate::store;
use anyhow::{Result, bail};
use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) fn backup(config: &Config, to: &Path) -> Result<String> {
    store::backup(&config.store.path, to)?;
    Ok(format!(
        "{} is a copy of the store, and it is whole",
        to.display()
    ))
}

pub(super) fn restore(config: &Config, from: &Path) -> Result<String> {
    if UnixStream::connect(config.control_socket()).is_ok() {
        bail!("the gateway uses the store; stop it first");
    }
    let kept = store::restore(from, &config.store.path)?;
    let mut said = format!("the store is now what {} is", from.display());
    if let Some(kept) = kept {
        let _ = write!(said, "; what it was is in {}", kept.display());
    }
    Ok(said)
}
