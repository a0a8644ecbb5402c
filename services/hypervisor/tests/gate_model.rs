//! The gate behind every claim, checked in every interleaving by loom.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test is a panic"
)]

mod sync {
    use std::task::Waker;

    /// loom's, under the signature of the one that the product uses.
    #[derive(Debug)]
    pub struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub fn new() -> Self {
            Self(loom::future::AtomicWaker::new())
        }
        pub fn register(&self, waker: &Waker) {
            self.0.register_by_ref(waker);
        }
        pub fn wake(&self) {
            self.0.wake();
        }
    }

    pub use loom::sync::atomic::{AtomicUsize, Ordering};
}
#[allow(dead_code, missing_docs)]
#[path = "../src/gate.rs"]
mod gate;

use gate::Gate;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

/// Every interleaving with up to three preemptions, which finds what is found in practice.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

/// Whoever is inside when the gate closes is waited for, and nobody comes in afterwards: what
/// a stop or a drain takes away is not in use.
#[test]
fn after_close_and_empty_nobody_is_inside() {
    model(|| {
        let gate = Arc::new(Gate::new());
        let gone = Arc::new(AtomicBool::new(false));
        let claims: Vec<_> = (0..2)
            .map(|_| {
                let (gate, gone) = (gate.clone(), gone.clone());
                thread::spawn(move || {
                    if gate.enter() {
                        assert!(!gone.load(Ordering::Acquire), "used after it was gone");
                        gate.leave();
                    }
                })
            })
            .collect();
        gate.close();
        block_on(gate.empty());
        gone.store(true, Ordering::Release);
        assert!(!gate.enter(), "entered a closed gate");
        for claim in claims {
            claim.join().unwrap();
        }
        assert_eq!(gate.inside(), 0);
    });
}

/// An idle stop and a request at the same moment: one of them wins, never both.
#[test]
fn an_idle_close_and_an_entry_exclude_each_other() {
    model(|| {
        let gate = Arc::new(Gate::new());
        let claim = {
            let gate = gate.clone();
            thread::spawn(move || gate.enter())
        };
        let closed = gate.close_if_empty();
        let entered = claim.join().unwrap();
        assert_ne!(closed, entered, "stopped under a request, or neither won");
        assert_eq!(gate.inside(), usize::from(entered));
    });
}

/// A swap as the routes do it: publish the new generation, close the old gate, answer. A
/// request that begins after the response is served by the new generation, whatever else runs.
#[test]
fn a_claim_after_the_swaps_response_is_of_the_new_generation() {
    model(|| {
        let gates = Arc::new([Gate::new(), Gate::new()]);
        let current = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        let answered = Arc::new(AtomicBool::new(false));
        let claim = {
            let (gates, current, answered) = (gates.clone(), current.clone(), answered.clone());
            thread::spawn(move || {
                let after = answered.load(Ordering::Acquire);
                loop {
                    let generation = current.load(Ordering::Acquire);
                    if gates[generation].enter() {
                        assert!(!after || generation == 1, "an old answer after the swap");
                        gates[generation].leave();
                        return;
                    }
                    thread::yield_now();
                }
            })
        };
        current.store(1, Ordering::Release);
        gates[0].close();
        answered.store(true, Ordering::Release);
        block_on(gates[0].empty());
        assert_eq!(gates[0].inside(), 0);
        claim.join().unwrap();
    });
}
