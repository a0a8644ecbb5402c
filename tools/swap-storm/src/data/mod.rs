//! Storm with data: clients write numbered records and read them back, while releases that migrate
//! these data are promoted, are taken back, and everything is killed in their midst.
//!
//! Nothing that was acknowledged may be lost by that, come twice or out of order, and no request
//! may fail but by a kill or a crash of the storm's own making; such a one is repeated.
//!
//! | part | what it does |
//! | --- | --- |
//! | `plan` | says what happens in which order |
//! | `service`, `release` | what the releases run, and what may be wrong with one |
//! | `clients`, `account`, `record` | write, read and follow, and know what has to be there |
//! | `conductor`, `orders`, `victims` | promotes, undoes, kills and restarts, as requests go by |
//! | `ledger`, `judge`, `report` | what happened, what it means, and how it is told |

mod account;
mod clients;
mod conductor;
mod judge;
mod last;
mod ledger;
mod orders;
mod plan;
mod record;
mod release;
mod report;
mod service;
mod victims;

pub use ledger::{Class, Kind, Outcome};
pub use plan::Plan;
pub use release::Fault;
pub use report::{Report, Row};
pub use service::serve;

use crate::gateway::Gateway;
use crate::origins::{Origins, Site};
use crate::types::Role;
use account::Account;
use anyhow::{Context, Result, ensure};
use clients::Field;
use conductor::Conductor;
use ledger::Ledger;
use orders::Program;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;
use tokio::task::JoinSet;

/// The first argument that makes this program the data service.
pub const SERVE: &str = "serve-data";

/// For so many clients one more follows what is written over a WebSocket, and one as events.
const FOLLOWERS: usize = 16;

/// Brings a storm with data over the hypervisor `bin`; `program` is this program, which its
/// releases run.
///
/// # Errors
/// It could not be brought about, or came to a standstill. Broken promises are no error, but in
/// the report.
pub async fn run(bin: &Path, program: &Path, plan: &Plan) -> Result<Report> {
    ensure!(plan.clients > 0, "a storm has clients");
    let program = Program {
        path: std::path::absolute(program)?,
        argument: SERVE,
    };
    let gateway = Gateway::start(bin, &config(&program)?)?;
    let field = field(&gateway, plan).await;
    let field = field.with_context(|| gateway.transcript())?;
    let watch = crate::watch_standstill();
    let mut writers = JoinSet::new();
    for index in 0..plan.clients {
        writers.spawn(clients::write(field.clone(), index));
    }
    let mut followers = JoinSet::new();
    for _ in 0..field.sockets {
        for kind in [Kind::Events, Kind::WebSocket] {
            followers.spawn(clients::follow(field.clone(), kind));
        }
    }
    let view = orders::view(&field.caller).await?;
    let mut conductor = Conductor {
        field: field.clone(),
        gateway,
        program,
        chance: fastrand::Rng::with_seed(plan.seed),
        release: view["live_release"].as_u64().context("live's release")?,
        schema: 1,
        dev_schema: 1,
        added: 0,
        takes: Duration::from_millis(300),
    };
    conductor.conduct(plan).await?;
    let records = last::look(&field, writers, followers).await?;
    let mut report = Report::of(&field.ledger);
    report.records = records;
    report.standstill = watch.longest();
    Ok(report)
}

async fn field(gateway: &Gateway, plan: &Plan) -> Result<Arc<Field>> {
    let caller = gateway.caller().await?;
    Ok(Arc::new(Field {
        ledger: Ledger::new(),
        address: gateway.address(),
        site: Site::of(&caller.person, Role::Live, Origins::Own).await?,
        caller,
        accounts: (1..).take(plan.clients).map(Account::new).collect(),
        sockets: plan.clients.div_ceil(FOLLOWERS) as u64,
        rest: AtomicBool::new(false),
        resting: AtomicUsize::new(0),
        era: AtomicU64::new(0),
        floor: AtomicU64::new(0),
        over: AtomicBool::new(false),
        last: AtomicU64::new(u64::MAX),
    }))
}

/// As shipped, but for what a storm needs: anyone may register, and a release that hangs is taken
/// back within the storm.
fn config(program: &Program) -> Result<String> {
    let [path, argument] = program.command()?;
    // The first release has the first schema, by a program that sets it.
    let command = json!(["/usr/bin/env", "SCHEMA=1", path, argument]);
    Ok(format!(
        "registration = \"open\"\n\
         [store]\npath = \"hypervisor.db\"\n\
         [runtime]\nkind = \"process\"\ndata_dir = \"sandboxes\"\ncommand = {command}\n\
         hold_secs = 6\nprobe_secs = 1\nprobe_timeout_secs = 2\n"
    ))
}
