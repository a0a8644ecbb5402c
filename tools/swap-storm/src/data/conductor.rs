//! Brings about what the plan says, each when enough requests have been answered.

use super::account::Account;
use super::clients::Field;
use super::ledger::{Change, Class, Kind, Outcome};
use super::orders::{self, Answer, Program};
use super::plan::{And, Plan, Step, Victim};
use super::release::{Fault, Release};
use super::victims;
use crate::gateway::Gateway;
use crate::types::Moment;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::wait::eventually;
use tokio::time::{Instant, sleep};

/// For so long may no request be answered until the storm is given up.
const STALLED: Duration = Duration::from_mins(1);
/// For so long the hypervisor may not know yet of connections that are no more.
const NEWS: Duration = Duration::from_millis(250);
/// Seconds for which a release is watched that crashes before.
const PROBATION: u64 = 60;

pub(super) struct Conductor {
    pub(super) field: Arc<Field>,
    pub(super) gateway: Gateway,
    pub(super) program: Program,
    pub(super) chance: fastrand::Rng,
    /// What live runs,
    pub(super) release: u64,
    /// and the schema that its data have.
    pub(super) schema: u32,
    /// How many releases were added.
    pub(super) added: u64,
    /// How long a promotion takes.
    pub(super) takes: Duration,
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
    pub(super) async fn conduct(&mut self, plan: &Plan) -> Result<()> {
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
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let answered = self.field.ledger.all_answered();
            if answered >= count {
                return Ok(());
            }
            if answered > last {
                (last, since) = (answered, Instant::now());
            } else if since.elapsed() > STALLED {
                let transcript = self.gateway.transcript();
                bail!("no request was answered for {STALLED:?}\n{transcript}");
            }
            sleep(Duration::from_millis(2)).await;
        }
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
        self.program
            .add(&self.gateway, &self.field.caller, release)
            .await
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

    /// A promotion to a release that is well: it succeeds.
    async fn well(&mut self, and: And) -> Result<()> {
        let schema = self.schema + u32::from(and.migrates());
        let before = self.release;
        let release = self.add(schema, None).await?;
        let begun = Instant::now();
        let ordered = self.begin(Class::Well, release, format!("{and:?}"));
        let promotion = orders::promotion(release, and != And::Unrehearsed, None);
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        let view = orders::view(&self.field.caller).await?;
        self.takes = begun.elapsed();
        if answer.0 != 200 {
            self.expected(&ordered.what, &answer, "a promotion");
            self.end(ordered, Outcome::TakenBack, &view, schema);
            return Ok(());
        }
        let frozen = answer.1["rehearsal"]["frozen_ms"].as_f64();
        self.field
            .ledger
            .record(|records| records.frozen.extend(frozen));
        let from = self.schema;
        self.end(ordered, Outcome::Done, &view, schema);
        self.and(and, (before, from), release).await
    }

    /// What goes with it, where `before` were live's release and schema.
    async fn and(&mut self, and: And, before: (u64, u32), release: u64) -> Result<()> {
        let caller = &self.field.caller;
        match and {
            And::Nothing | And::Unrehearsed | And::Restarted => {}
            And::UndoneWithData => self.undo_with_data(before, release).await?,
            And::Undone => {
                self.undo(json!({}), Ok("undone")).await?;
                self.release = before.0;
            }
            And::UndoRefused => {
                self.undo(json!({}), Err("undos refused by the old release"))
                    .await?;
            }
            And::Forked => {
                let answer = orders::order(caller, "fork", json!({})).await?;
                self.did("forks", &answer);
            }
            And::Snapshotted => {
                let path = format!("/admin/sandboxes/{}/live/snapshot", caller.person.user_id);
                let answer = caller.call("POST", &path, &json!({})).await?;
                self.did("snapshots", &answer);
                let frozen = answer.1["frozen_ms"].as_f64();
                self.field
                    .ledger
                    .record(|records| records.frozen.extend(frozen));
            }
        }
        Ok(())
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

    /// An undo, which succeeds, or is taken back since the old release refuses the new data.
    async fn undo(
        &self,
        order: Value,
        due: Result<&'static str, &'static str>,
    ) -> Result<Option<Value>> {
        let ledger = &self.field.ledger;
        let begin = ledger.now();
        let answer = orders::order(&self.field.caller, "undo", order).await?;
        let (Ok(what) | Err(what)) = due;
        let right = match due {
            Ok(_) => answer.0 == 200,
            Err(_) => answer.0 == 409 && answer.1["error"] == "taken_back",
        };
        if right {
            ledger.did(what);
        } else {
            self.expected(what, &answer, "that");
        }
        let change = Change {
            what: what.to_owned(),
            class: if due.is_ok() {
                Class::Undo
            } else {
                Class::Faulty
            },
            span: ledger.since(begin),
            outcome: None,
            held_ms: answer.1["held_ms"].as_u64(),
        };
        ledger.record(|records| records.changes.push(change));
        Ok(right.then_some(answer.1))
    }

    /// What was written since the promotion goes by order, and is accounted for one by one.
    async fn undo_with_data(&mut self, before: (u64, u32), release: u64) -> Result<()> {
        let field = self.field.clone();
        let opened = field.ledger.answered(Kind::WebSocket);
        let sockets = || {
            field
                .ledger
                .answered(Kind::WebSocket)
                .saturating_sub(opened)
                + field.sockets
        };
        self.all_wrote().await?;
        field.rest.store(true, Ordering::SeqCst);
        let all = field.accounts.len();
        let resting = async || (field.resting.load(Ordering::SeqCst) == all).then_some(());
        eventually("all writers to rest", resting).await?;
        let undone = self
            .undo(json!({ "with_data": true }), Ok("undone with data"))
            .await?;
        if let Some(said) = undone {
            (self.release, self.schema) = before;
            let (mut gone, mut floor) = (0, 0);
            for account in &field.accounts {
                let (of_it, newest) = account.order_away(release);
                (gone, floor) = (gone + of_it, newest.max(floor));
            }
            // An open WebSocket may have written as well, for all that the hypervisor knows.
            let said_lost = said["lost_writes"].as_u64().unwrap_or_default();
            if !(gone..=gone + sockets()).contains(&said_lost) {
                let what = format!("undo with data: {gone} records went, and it said {said}");
                field.ledger.broken(what);
            }
            field.ledger.record(|records| records.ordered_away += gone);
            field.floor.store(floor, Ordering::SeqCst);
            field.era.fetch_add(1, Ordering::SeqCst);
        }
        field.rest.store(false, Ordering::SeqCst);
        Ok(())
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

    /// A promotion to a release that something is wrong with: nothing comes of it, and no request
    /// fails.
    async fn faulty(&mut self, fault: Fault, rehearse: bool) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, Some((fault, rehearse))).await?;
        let ordered = self.begin(Class::Faulty, release, fault.to_string());
        let promotion = orders::promotion(release, rehearse, None);
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        let (due, outcome) = if rehearse {
            ("rehearsal_failed", Outcome::Rehearsed)
        } else {
            ("taken_back", Outcome::TakenBack)
        };
        if answer.0 != 409 || answer.1["error"] != due {
            self.expected(&ordered.what, &answer, due);
        }
        let view = orders::view(&self.field.caller).await?;
        self.end(ordered, outcome, &view, schema);
        if rehearse {
            // Dev was given it before, with what dev had; a copy of live's mends that.
            let answer = orders::order(&self.field.caller, "fork", json!({})).await?;
            self.did("forks", &answer);
        }
        Ok(())
    }

    /// A release that is well at first: its probation undoes it. It has the schema of the one
    /// before, which gets all that is written meanwhile.
    async fn crashing(&mut self) -> Result<()> {
        let before = self.release;
        let release = self.add(self.schema, Some((Fault::Crash, false))).await?;
        let trouble = self.field.ledger.trouble("a release crashes".into());
        let ordered = self.begin(Class::Faulty, release, Fault::Crash.to_string());
        let promotion = orders::promotion(release, false, Some(PROBATION));
        let answer = orders::order(&self.field.caller, "promote", promotion).await?;
        if answer.0 != 200 {
            self.expected(&ordered.what, &answer, "200");
        }
        let undone = async || {
            let view = orders::settled(&self.field.caller).await.ok()?;
            let newest = &view["history"][0];
            (newest["kind"] == "undo" && newest["outcome"] == "done").then_some(view)
        };
        let view = eventually("a probation to end", undone).await?;
        self.recovered(trouble).await?;
        if view["live_release"] != before {
            self.field.ledger.broken(format!("the probation: {view}"));
        }
        self.end(ordered, Outcome::TakenBack, &view, self.schema);
        Ok(())
    }

    /// All is well again.
    async fn recovered(&self, trouble: usize) -> Result<()> {
        self.all_wrote().await?;
        sleep(NEWS).await;
        self.field.ledger.recovered(trouble);
        Ok(())
    }

    /// A promotion in whose midst something is killed: it is done whole, or not at all.
    async fn killed(&mut self, victim: Victim) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, None).await?;
        let field = self.field.clone();
        let promotion = orders::promotion(release, self.chance.bool(), None);
        let order = orders::confirmed(&field.caller, "promote", promotion).await?;
        let most = u64::try_from(self.takes.as_millis())?.max(1);
        let delay = Duration::from_millis(self.chance.u64(0..most));
        let what = format!("{victim} killed {} ms after", delay.as_millis());
        let ordered = self.begin(Class::Killed, release, what.as_str());
        let kill = async {
            sleep(delay).await;
            let trouble = field.ledger.trouble(what.clone());
            let folder = self.gateway.folder().to_owned();
            let found = match victim {
                Victim::Gateway => self.gateway.kill().await.map(|()| true),
                Victim::Sandbox => victims::kill(field.ledger.pid(), &folder, false),
                Victim::Guardian => victims::kill(field.ledger.pid(), &folder, true),
            };
            found.map(|found| (trouble, found))
        };
        let (answer, killed) = tokio::join!(field.caller.order(&order), kill);
        let (trouble, found) = killed?;
        field.ledger.did(match (victim, found) {
            (_, false) => "kills that found nobody",
            (Victim::Gateway, _) => "gateways killed",
            (Victim::Sandbox, _) => "sandboxes killed",
            (Victim::Guardian, _) => "guardians killed",
        });
        let view = orders::settled(&field.caller).await?;
        self.whole(ordered, answer.ok(), &view, schema);
        self.recovered(trouble).await
    }

    /// Has a promotion be done whole, or not at all.
    fn whole(&mut self, ordered: Ordered, answer: Option<Answer>, view: &Value, schema: u32) {
        let row = orders::in_history(view, ordered.release);
        let outcome = match row.and_then(|row| row["outcome"].as_str()) {
            Some("done") => Outcome::Done,
            Some("taken_back") => Outcome::TakenBack,
            None => Outcome::Nothing,
            Some(_) => {
                self.field
                    .ledger
                    .broken(format!("{}: {view}", ordered.what));
                Outcome::Nothing
            }
        };
        if let Some(answer) = answer.filter(|it| (it.0 == 200) != (outcome == Outcome::Done)) {
            self.expected(&ordered.what, &answer, &outcome.to_string());
        }
        self.end(ordered, outcome, view, schema);
    }

    /// A promotion in whose midst the hypervisor is restarted: it is done whole, or not at all,
    /// and no request fails.
    async fn restarted(&mut self) -> Result<()> {
        let schema = self.schema + 1;
        let release = self.add(schema, None).await?;
        let field = self.field.clone();
        let promotion = orders::promotion(release, true, None);
        let order = orders::confirmed(&field.caller, "promote", promotion).await?;
        let most = u64::try_from(self.takes.as_millis())?.max(1);
        let delay = Duration::from_millis(self.chance.u64(0..most));
        let what = format!("gateway restarted {} ms after", delay.as_millis());
        let ordered = self.begin(Class::Killed, release, what);
        let restart = async {
            sleep(delay).await;
            self.gateway.restart(|| field.ledger.now()).await
        };
        let (answer, restarted) = tokio::join!(field.caller.order(&order), restart);
        restarted?;
        field.ledger.did("restarts of the gateway");
        let view = orders::settled(&field.caller).await?;
        self.whole(ordered, answer.ok(), &view, schema);
        Ok(())
    }
}
