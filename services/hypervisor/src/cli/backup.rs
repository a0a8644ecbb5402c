//! `hypervisor backup` and `hypervisor restore`.

use crate::config::Config;
use crate::store;
use anyhow::{Result, bail};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(super) fn backup(config: &Config, to: &Path) -> Result<()> {
    store::backup(&config.store.path, to)?;
    println!("{} is a copy of the store, and it is whole", to.display());
    Ok(())
}

pub(super) fn restore(config: &Config, from: &Path) -> Result<()> {
    if UnixStream::connect(config.control_socket()).is_ok() {
        bail!("the gateway uses the store; stop it first");
    }
    let kept = store::restore(from, &config.store.path)?;
    println!("the store is what {} is", from.display());
    if let Some(kept) = kept {
        println!("what it was until now is in {}", kept.display());
    }
    Ok(())
}
