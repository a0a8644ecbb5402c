//! `adopt`: sandboxes that something else runs. They are never started or stopped from here;
//! they are running while they answer as themselves, and failed with a sentence while not.

use super::board::Board;
use super::health::PATIENCE;
use super::orders::{Order, Orders, answer};
use super::{RuntimeError, Status};
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep;
use tracing::{error, info, warn};

/// Watches one adopted sandbox until the hypervisor ends: each `runtime.probe_secs`, and while
/// it is failed also at each request.
pub(super) async fn watch(board: Arc<Board>, mut orders: Orders) {
    let mut failed = 0;
    board.show(Status::Starting, board.spec.address, None);
    loop {
        let outcome = tokio::select! {
            biased;
            outcome = look(&board, &mut failed) => outcome,
            () = ended(&board, &mut orders) => return,
        };
        orders.settle(&outcome);
        if !pause(&board, &mut orders).await {
            return;
        }
    }
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

/// Until it is time for another probe, or a request needs one; `false` if the hypervisor ends.
async fn pause(board: &Board, orders: &mut Orders) -> bool {
    let time = sleep(board.probe_pause());
    tokio::pin!(time);
    loop {
        let order = tokio::select! {
            () = &mut time => return true,
            order = orders.next() => order,
        };
        match order {
            Order::Start { reply, .. } if board.is_open() => answer(reply, Ok(())),
            Order::Start { reply, .. } => {
                orders.wait(reply);
                return true;
            }
            Order::Stop(reply) => answer(reply, Err(not_ours(board))),
            Order::End(reply) => {
                answer(reply, Ok(()));
                return false;
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
