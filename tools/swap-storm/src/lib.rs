//! Swap under fire: clients of every kind ask without a pause, while the sandboxes behind the
//! hypervisor are swapped, crash, hang, refuse and restart, and the hypervisor is restarted too.
//!
//! Nothing may be lost by that. Every request is accounted for: answered, by the side that has
//! the role; failed, while the sandbox that it went to was in trouble of our own making; or
//! failed otherwise, which is a broken promise.
//!
//! | part | what it does |
//! | --- | --- |
//! | `plan` | says what happens in which order |
//! | `sandbox`, `answers` | two sandboxes that name themselves, and go wrong when told to |
//! | `gateway` | the real hypervisor, on a socket that outlives it as under systemd |
//! | `origins` | where the sandboxes are found |
//! | `clients`, `wire` | ask, and note what they see |
//! | `conductor` | swaps, breaks, mends and restarts, as requests go by |
//! | `ledger`, `judge`, `report` | what happened, what it means, and how it is told |

mod answers;
mod clients;
mod conductor;
mod gateway;
mod judge;
mod ledger;
mod origins;
mod plan;
mod report;
mod sandbox;
mod types;
mod wire;

pub use origins::Origins;
pub use plan::Plan;
pub use report::{Report, Row, Streams};
pub use sandbox::Fault;
pub use types::Kind;

use anyhow::{Result, ensure};
use clients::Field;
use conductor::Conductor;
use gateway::Gateway;
use ledger::Ledger;
use origins::Site;
use sandbox::Sandbox;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use types::Role;

/// Brings a storm over the hypervisor `bin`.
///
/// # Errors
/// It could not be brought about, or came to a standstill. Broken promises are no error, but in
/// the report.
pub async fn run(bin: &Path, plan: &Plan) -> Result<Report> {
    ensure!(
        plan.swaps > 0 && plan.clients > 0,
        "a storm has swaps and clients"
    );
    let sandboxes = [
        Sandbox::start(Role::Live).await?,
        Sandbox::start(Role::Dev).await?,
    ];
    let gateway = Gateway::start(bin, &sandboxes, plan.origins)?;
    let person = gateway.person().await?;
    let site = |role| Site::of(&person, role, plan.origins);
    let field = Arc::new(Field {
        ledger: Ledger::new(plan),
        address: gateway.address(),
        headers: origins::headers(&person.client),
        sites: [site(Role::Live).await?, site(Role::Dev).await?],
        over: AtomicBool::new(false),
    });
    let standstill = Arc::default();
    let mut watcher = JoinSet::new(); // It ends with this function.
    watcher.spawn(watch(Arc::clone(&standstill)));
    let mut clients = JoinSet::new();
    for index in 0..plan.clients {
        clients.spawn(clients::run(field.clone(), index));
    }
    let mut conductor = Conductor {
        field: field.clone(),
        gateway,
        sandboxes,
        person,
        generation: 1,
    };
    conductor.conduct(plan).await?;
    field.over.store(true, Ordering::SeqCst);
    while let Some(client) = clients.join_next().await {
        client?;
    }
    let mut report = Report::of(&field.ledger);
    report.standstill = Duration::from_nanos(standstill.load(Ordering::Relaxed));
    Ok(report)
}

/// Notes for how long, at most, a short sleep took too long.
async fn watch(longest: Arc<AtomicU64>) {
    const NAP: Duration = Duration::from_millis(50);
    loop {
        let slept = Instant::now();
        tokio::time::sleep(NAP).await;
        let late = types::nanos(slept.elapsed().saturating_sub(NAP));
        longest.fetch_max(late, Ordering::Relaxed);
    }
}
