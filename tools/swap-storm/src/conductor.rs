//! Brings about what the plan says, each when enough requests have been answered.

use super::caller::is_unknown;
use super::clients::Field;
use super::gateway::{self, Gateway};
use super::ledger::{Span, Swap};
use super::plan::{Meanwhile, Plan, Step};
use super::sandbox::{Fault, Sandbox};
use super::types::Role;
use anyhow::Result;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// For so long the hypervisor may not know yet that connections which it kept are no more: a
/// request that it sends over one of them is lost by the sandbox's fault, not by its own.
const NEWS: Duration = Duration::from_millis(250);

/// The seconds of a drain that nobody is to see.
const DRAIN: u64 = 30;

pub(super) struct Conductor {
    pub(super) field: Arc<Field>,
    pub(super) gateway: Gateway,
    /// Live first, by birth.
    pub(super) sandboxes: [Sandbox; 2],
    pub(super) generation: u64,
}

impl Conductor {
    /// Everything, from the first step to the last request.
    pub(super) async fn conduct(&mut self, plan: &Plan) -> Result<()> {
        let steps = plan.steps();
        let parts = steps.len() as u64 + 1;
        for (index, step) in (1..).zip(&steps) {
            self.answered(plan.requests * index / parts).await?;
            self.take(step).await?;
        }
        self.answered(plan.requests).await
    }

    /// Waits until so many requests were answered.
    async fn answered(&self, count: u64) -> Result<()> {
        let answered = || self.field.ledger.answered();
        self.gateway.reached(count, answered).await
    }

    async fn take(&mut self, step: &Step) -> Result<()> {
        let Some(trouble) = step.trouble else {
            return self.swap(step.drain, step.restart).await;
        };
        // A shutdown waits for what hangs, so a restart has to wait, too.
        let later = step.restart && trouble.fault == Fault::Hang;
        let born = trouble.role.held_by(self.generation);
        let number = self.field.ledger.suffers(born, trouble.fault);
        self.sandbox(born).suffer(trouble.fault).await?;
        sleep(trouble.lasts / 2).await;
        let now = step.restart && !later;
        self.meanwhile(trouble.meanwhile, step.drain, now).await?;
        sleep(trouble.lasts / 2).await;
        self.sandbox(born).recover(trouble.fault).await?;
        sleep(NEWS).await;
        self.field.ledger.recovered(number);
        match trouble.meanwhile {
            Meanwhile::Rescue if later => self.restart().await,
            Meanwhile::Rescue => Ok(()),
            _ => self.swap(step.drain, later).await,
        }
    }

    /// While a sandbox is in trouble.
    async fn meanwhile(&mut self, what: Meanwhile, drain: u64, restart: bool) -> Result<()> {
        if what == Meanwhile::Rescue {
            return self.swap(drain, restart).await;
        }
        if restart {
            self.restart().await?;
        }
        if what == Meanwhile::Refusal {
            self.refused().await?;
        }
        Ok(())
    }

    fn sandbox(&self, born: Role) -> &Sandbox {
        &self.sandboxes[born as usize]
    }

    /// A swap that has to succeed, perhaps with a restart in its midst.
    async fn swap(&mut self, drain: u64, restart: bool) -> Result<()> {
        let field = self.field.clone();
        let next = self.generation + 1;
        let order = self.confirmed(drain).await?;
        let mut begin = field.ledger.order(next);
        let ordered = field.caller.order(&order);
        let mut answer = if restart {
            let (answer, restarted) = tokio::join!(ordered, self.restart());
            restarted?;
            answer
        } else {
            ordered.await
        };
        if restart && answer.as_ref().is_ok_and(is_unknown) {
            field.ledger.record(|records| records.confirmed_anew += 1);
            let order = self.confirmed(drain).await?;
            begin = field.ledger.order(next);
            answer = field.caller.order(&order).await;
        }
        let end = field.ledger.now();
        let whole = |answer: &(u16, Value)| {
            answer.0 == 200
                && answer.1["generation"] == next
                && answer.1["live"] == Role::Live.held_by(next).sandbox()
        };
        if !answer.as_ref().is_ok_and(whole) {
            let what = format!("the swap to generation {next}: {answer:?}");
            field.ledger.broken(what);
            if gateway::generation(&field.caller).await? != next {
                return Ok(());
            }
        }
        self.generation = next;
        field.ledger.swapped(Swap {
            generation: next,
            span: Span { begin, end },
            drain,
        });
        Ok(())
    }

    /// A swap to a dev sandbox that is in trouble: 409, and nothing changes.
    async fn refused(&self) -> Result<()> {
        let order = self.confirmed(DRAIN).await?;
        let answer = self.field.caller.order(&order).await;
        let right = answer
            .as_ref()
            .is_ok_and(|(status, said)| *status == 409 && said["error"] == "dev_unhealthy");
        let generation = gateway::generation(&self.field.caller).await?;
        if !right || generation != self.generation {
            let what = format!("a swap to an unhealthy dev at {generation}: {answer:?}");
            self.field.ledger.broken(what);
        }
        self.field.ledger.record(|records| records.refusals += 1);
        Ok(())
    }

    /// A swap from this generation, confirmed with a passkey; what is left is to send it.
    async fn confirmed(&self, drain: u64) -> Result<Value> {
        let act = json!({
            "act": "swap",
            "user_id": self.field.caller.person.user_id,
            "expect_generation": self.generation,
            "drain_secs": drain,
        });
        self.field.caller.confirmed(&act).await
    }

    async fn restart(&mut self) -> Result<()> {
        let ledger = &self.field.ledger;
        match self.gateway.restart(|| ledger.now()).await {
            Ok(span) => {
                ledger.record(|records| records.restarts.push(span));
                Ok(())
            }
            Err(error) => Err(error.context(self.gateway.transcript())),
        }
    }
}
