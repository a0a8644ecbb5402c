//! Brings about what the plan says, each when enough requests have been answered.

mod broken_off;
mod faulty;
mod well;

use super::account::Account;
use super::clients::Field;
use super::ledger::{Change, Class, Outcome};
use super::orders::{self, Answer, Program};
use super::plan::{And, Plan, Step};
use super::release::{Fault, Release};
use crate::gateway::Gateway;
use crate::types::Moment;
use anyhow::{Context, Result};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use testkit::wait::eventually;
use tokio::time::sleep;

/// For so long the hypervisor may not know yet of connections that are no more.
const NEWS: Duration = Duration::from_millis(250);

pub(in crate::data) struct Conductor {
    pub(in crate::data) field: Arc<Field>,
    pub(in crate::data) gateway: Gateway,
    pub(in crate::data) program: Program,
    pub(in crate::data) chance: fastrand::Rng,
    /// What live runs,
    pub(in crate::data) release: u64,
    /// and the schema that its data have.
    pub(in crate::data) schema: u32,
    /// The schema that dev's data may have, since an undo with data leaves them ahead of live's.
    pub(in crate::data) dev_schema: u32,
    /// How many releases were added.
    pub(in crate::data) added: u64,
    /// How long a promotion takes.
    pub(in crate::data) takes: Duration,
}

/// A promotion that is under way.
struct Ordered {
    what: String,
    class: Class,
    release: u64,
    begin: Moment,
}

impl Conductor {
    /// Everything, from the first step to the last request.
    pub(in crate::data) async fn conduct(&mut self, plan: &Plan) -> Result<()> {
        let steps = plan.steps();
        let parts = steps.len() as u64 + 1;
        for (index, step) in (1..).zip(steps) {
            self.answered(plan.requests * index / parts).await?;
            let taken = self.take(step).await;
            taken.with_context(|| format!("{step:?}\n{}", self.gateway.transcript()))?;
        }
        self.answered(plan.requests).await
    }

    /// Waits until so many requests were answered.
    async fn answered(&self, count: u64) -> Result<()> {
        let answered = || self.field.ledger.all_answered();
        self.gateway.reached(count, answered).await
    }

    async fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Well(And::Restarted) => self.restarted().await,
            Step::Well(and) => self.well(and).await,
            Step::Faulty {
                fault: Fault::Crash,
                ..
            } => self.crashing().await,
            Step::Faulty { fault, rehearse } => self.faulty(fault, rehearse).await,
            Step::Killed(victim) => self.killed(victim).await,
        }
    }

    async fn add(&mut self, schema: u32, fault: Option<(Fault, bool)>) -> Result<u64> {
        self.added += 1;
        let release = Release {
            build: self.added,
            schema,
            fault: fault.map(|(fault, _)| fault),
            everywhere: fault.is_some_and(|(_, everywhere)| everywhere),
        };
        let refuses = release.everywhere || schema < self.dev_schema;
        self.dev_schema = self.dev_schema.max(schema);
        let (gateway, caller) = (&self.gateway, &self.field.caller);
        self.program.add(gateway, caller, release, refuses).await
    }

    /// A promotion is about to be ordered.
    fn begin(&self, class: Class, release: u64, what: impl Into<String>) -> Ordered {
        Ordered {
            what: what.into(),
            class,
            release,
            begin: self.field.ledger.now(),
        }
    }

    /// It was ordered, and is over: writes down what became of it.
    fn end(&mut self, ordered: Ordered, outcome: Outcome, view: &Value, schema: u32) {
        let Ordered {
            what,
            class,
            release,
            begin,
        } = ordered;
        if outcome == Outcome::Done {
            (self.release, self.schema) = (release, schema);
        }
        let ledger = &self.field.ledger;
        if view["live_release"] != self.release {
            ledger.broken(format!(
                "{what}: {outcome}, but live is not what it should be: {view}"
            ));
        }
        let row = orders::in_history(view, release);
        let held_ms = row.and_then(|row| row["held_ms"].as_u64());
        let span = ledger.since(begin);
        let change = Change {
            what,
            class,
            span,
            outcome: Some(outcome),
            held_ms,
        };
        ledger.record(|records| records.changes.push(change));
    }

    /// Something that has to succeed.
    fn did(&self, what: &'static str, answer: &Answer) -> bool {
        if answer.0 == 200 {
            self.field.ledger.did(what);
        } else {
            self.expected(what, answer, "200");
        }
        answer.0 == 200
    }

    fn expected(&self, what: &str, (status, said): &Answer, due: &str) {
        let ledger = &self.field.ledger;
        ledger.broken(format!("{what}: {due} was due, and {status} {said} came"));
    }

    /// Waits until every client has come through again.
    async fn all_wrote(&self) -> Result<()> {
        let field = &self.field;
        let counts: Vec<_> = field.accounts.iter().map(Account::count).collect();
        let wrote = async || {
            let mut all = field.accounts.iter().zip(&counts);
            all.all(|(account, before)| account.count() > before + 1)
                .then_some(())
        };
        eventually("every client's next record", wrote).await
    }

    /// All is well again.
    async fn recovered(&self, trouble: usize) -> Result<()> {
        self.all_wrote().await?;
        sleep(NEWS).await;
        self.field.ledger.recovered(trouble);
        Ok(())
    }
}
