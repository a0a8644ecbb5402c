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
//! | `gateway`, `caller` | the real hypervisor, on a socket that outlives it as under systemd, and who orders |
//! | `origins` | where the sandboxes are found |
//! | `clients`, `wire` | ask, and note what they see |
//! | `conductor` | swaps, breaks, mends and restarts, as requests go by |
//! | `ledger`, `judge`, `report` | what happened, what it means, and how it is told |
//! | `data` | the same for what is written: promotions of releases that migrate their data |

mod answers;
mod caller;
mod clients;
mod conductor;
pub mod data;
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
    let gateway = Gateway::start(bin, &gateway::adopting(&sandboxes, plan.origins))?;
    let caller = gateway.caller().await?;
    let site = |role| Site::of(&caller.person, role, plan.origins);
    let field = Arc::new(Field {
        ledger: Ledger::new(plan),
        address: gateway.address(),
        sites: [site(Role::Live).await?, site(Role::Dev).await?],
        caller,
        over: AtomicBool::new(false),
    });
    let watch = watch_standstill();
    let mut clients = JoinSet::new();
    for index in 0..plan.clients {
        clients.spawn(clients::run(field.clone(), index));
    }
    let mut conductor = Conductor {
        field: field.clone(),
        gateway,
        sandboxes,
        generation: 1,
    };
    conductor.conduct(plan).await?;
    field.over.store(true, Ordering::SeqCst);
    while let Some(client) = clients.join_next().await {
        client?;
    }
    let mut report = Report::of(&field.ledger);
    report.standstill = watch.longest();
    Ok(report)
}

/// Notes for how long, at most, a short sleep took too long. It ends with this.
struct StandstillWatch {
    longest: Arc<AtomicU64>,
    _task: JoinSet<()>,
}

fn watch_standstill() -> StandstillWatch {
    const NAP: Duration = Duration::from_millis(50);
    let longest = Arc::<AtomicU64>::default();
    let mut task = JoinSet::new();
    let noted = longest.clone();
    task.spawn(async move {
        loop {
            let slept = Instant::now();
            tokio::time::sleep(NAP).await;
            let late = types::nanos(slept.elapsed().saturating_sub(NAP));
            noted.fetch_max(late, Ordering::Relaxed);
        }
    });
    StandstillWatch {
        longest,
        _task: task,
    }
}

impl StandstillWatch {
    fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest.load(Ordering::Relaxed))
    }
}
