//! `adopt`: sandboxes that something else runs. They are never started or stopped from here;
//! they are running while they answer as themselves, and failed with a sentence while not.

use super::board::Board;
use super::health::PATIENCE;
use super::orders::{Order, Orders, answer};
use super::{RuntimeError, Status};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep;
use tracing::{error, info, warn};

/// Watches one adopted sandbox until the hypervisor ends: each `runtime.probe_secs`, and while
/// it is failed also at each request. `turns` are shared by all.
pub(super) async fn watch(board: Arc<Board>, mut orders: Orders, turns: Arc<Semaphore>) {
    let mut failed = 0;
    board.show(Status::Starting, board.spec.address, None);
    let mut time = Duration::ZERO;
    let mut next = part_of(board.probe_pause(), &board.spec.name);
    while let Some(turn) = pause(&board, &mut orders, &turns, time).await {
        let outcome = tokio::select! {
            biased;
            // Boxed: a probe is large, and there are many watches, most of which wait.
            outcome = Box::pin(look(&board, &mut failed)) => outcome,
            () = ended(&board, &mut orders) => return,
        };
        drop(turn);
        orders.settle(&outcome);
        (time, next) = (next, board.probe_pause());
    }
}

/// A part of the pause that this sandbox alone begins with, so that later probes of many are
/// spread over the time.
fn part_of(pause: Duration, name: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    pause * u32::from(hasher.finish().to_le_bytes()[0]) / 256
}

/// Probes it, and shows what was found. `failed` counts the probes in a row that failed.
async fn look(board: &Board, failed: &mut u32) -> Result<(), RuntimeError> {
    let Some(address) = board.spec.address else {
        return Err(lose(board, "the config gives it no address".to_owned()));
    };
    let Err(error) = board.probe(address).await else {
        *failed = 0;
        if !board.is_open() {
            info!(sandbox = board.spec.name, %address, "running");
            board.open(address, Instant::now());
        }
        return Ok(());
    };
    *failed += 1;
    // One that stays away is not news for ever.
    if *failed <= PATIENCE {
        warn!(sandbox = board.spec.name, failed, %error, "probe failed");
    }
    // One that ran may be slow for once, but one that is another will not become the right one.
    if board.is_open() && *failed < PATIENCE && !error.is_foreign() {
        return Ok(());
    }
    Err(lose(board, error.to_string()))
}

fn lose(board: &Board, cause: String) -> RuntimeError {
    if board.is_open() {
        error!(sandbox = board.spec.name, cause, "failed");
    }
    board.close();
    board.show(Status::Failed, board.spec.address, Some(cause.clone()));
    RuntimeError::Lost {
        sandbox: board.spec.name.clone(),
        cause,
    }
}

/// Lets everyone who asks for it wait for the probe, until the hypervisor ends.
async fn ended(board: &Board, orders: &mut Orders) {
    loop {
        let halt = orders.halt().await;
        if halt.last {
            return answer(halt.reply, Ok(()));
        }
        answer(halt.reply, Err(not_ours(board)));
    }
}

/// Until it is time for another probe, and its turn; or, without a turn, until a request needs
/// one. `None` if the hypervisor ends.
async fn pause<'t>(
    board: &Board,
    orders: &mut Orders,
    turns: &'t Semaphore,
    time: Duration,
) -> Option<Option<SemaphorePermit<'t>>> {
    let due = async {
        sleep(time).await;
        turns.acquire().await.ok()
    };
    tokio::pin!(due);
    loop {
        let order = tokio::select! {
            turn = &mut due => return Some(turn),
            order = orders.next() => order,
        };
        match order {
            Order::Start { reply, .. } if board.is_open() => answer(reply, Ok(())),
            Order::Start { reply, .. } => {
                orders.wait(reply);
                return Some(None);
            }
            Order::Stop(reply) => answer(reply, Err(not_ours(board))),
            Order::End(reply) => {
                answer(reply, Ok(()));
                return None;
            }
        }
    }
}

fn not_ours(board: &Board) -> RuntimeError {
    RuntimeError::CannotStop {
        sandbox: board.spec.name.clone(),
        cause: "something else runs it (runtime.kind is `adopt`); stop it there".to_owned(),
    }
}
