//! People who come all the time, while a program is started again.

use crate::process::Process;
use crate::wait::eventually;
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinHandle;

/// Someone who comes again and again, each time over a connection of their own.
#[derive(Debug)]
pub struct Visitor {
    task: JoinHandle<()>,
    visits: Arc<AtomicUsize>,
}

impl Visitor {
    /// Begins to come; a visit that fails panics, and is the last.
    pub fn new<F>(visit: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = visits.clone();
        let task = tokio::spawn(async move {
            loop {
                visit().await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { task, visits }
    }

    /// Waits for some visits more.
    async fn comes(&self) -> Result<()> {
        let before = self.visits.load(Ordering::Relaxed);
        let came = async || (self.visits.load(Ordering::Relaxed) > before + 2).then_some(());
        eventually("visits", came).await
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Has a program that `start` starts end and start again three times, while `visitors` come to a
/// socket that stays.
///
/// # Errors
/// A visit failed, or the program did not end well.
pub async fn survive_restarts(start: impl Fn() -> Process, visitors: Vec<Visitor>) -> Result<()> {
    let mut program = start();
    for _ in 0..3 {
        for visitor in &visitors {
            visitor.comes().await?;
        }
        program.sigterm()?;
        ensure!(program.wait_exit().await?.success(), "it did not end well");
        program = start();
    }
    for mut visitor in visitors {
        if visitor.task.is_finished() {
            (&mut visitor.task).await.context("a visit failed")?;
        }
    }
    Ok(())
}
