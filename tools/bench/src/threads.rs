//! Threads beside the one that measures.

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with threads of its own. Dropped, it and all that runs on it ends.
#[derive(Debug)]
pub struct Threads {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Threads {
    /// So many threads, of this name.
    ///
    /// # Errors
    /// There are none to be had.
    pub fn new(name: &str, count: usize) -> Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(count).thread_name(name).enable_all();
        let runtime = builder.build().context("start threads")?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Where to run something.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
